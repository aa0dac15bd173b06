create table pki_acme_external_key (
    tenant blob not null,
    id blob not null,
    environment text not null,
    secret blob not null,
    profiles text,
    dns text,
    ip text,
    uses_left integer not null,
    expires_at text not null,
    revoked_at text,
    made_by text not null,
    created_at text not null,
    primary key (tenant, id)
) strict;

create table pki_acme_account (
    tenant blob not null,
    id blob not null,
    environment text not null,
    handle text not null,
    thumbprint blob not null,
    spki blob not null,
    contact blob,
    status text not null,
    external_key blob,
    created_at text not null,
    primary key (tenant, id)
) strict;
create unique index pki_acme_account_handle on pki_acme_account (handle);
create unique index pki_acme_account_key on pki_acme_account (tenant, environment, thumbprint);

create table pki_acme_authorization (
    tenant blob not null,
    id blob not null,
    handle text not null,
    account blob not null,
    identifier text not null,
    wildcard integer not null,
    token text not null,
    status text not null,
    challenge text,
    error text,
    attempts integer not null,
    next_attempt_at text,
    validated_at text,
    expires_at text not null,
    primary key (tenant, id)
) strict;
create unique index pki_acme_authorization_handle on pki_acme_authorization (handle);
create index pki_acme_authorization_standing
    on pki_acme_authorization (tenant, account, status, identifier, expires_at);
create index pki_acme_authorization_due on pki_acme_authorization (next_attempt_at);
create index pki_acme_authorization_expiry on pki_acme_authorization (expires_at);

create table pki_acme_order (
    tenant blob not null,
    id blob not null,
    handle text not null,
    account blob not null,
    identifiers text not null,
    profile text not null,
    replaces text,
    not_after text,
    csr_sha256 blob,
    certificate blob,
    expires_at text not null,
    created_at text not null,
    primary key (tenant, id)
) strict;
create unique index pki_acme_order_handle on pki_acme_order (handle);
create index pki_acme_order_account on pki_acme_order (tenant, account, id);
create index pki_acme_order_certificate on pki_acme_order (tenant, certificate);
create index pki_acme_order_replaces on pki_acme_order (tenant, replaces);
create index pki_acme_order_expiry on pki_acme_order (expires_at);

create table pki_acme_order_part (
    tenant blob not null,
    acme_order blob not null,
    position integer not null,
    acme_authorization blob not null,
    primary key (tenant, acme_order, position)
) strict;
