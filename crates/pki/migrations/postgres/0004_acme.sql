create table pki_acme_external_key (
    tenant uuid not null,
    id uuid not null,
    environment text not null,
    secret bytea not null,
    profiles text,
    dns text,
    ip text,
    uses_left bigint not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    made_by text not null,
    created_at timestamptz not null,
    primary key (tenant, id)
);

create table pki_acme_account (
    tenant uuid not null,
    id uuid not null,
    environment text not null,
    handle text not null,
    thumbprint bytea not null,
    spki bytea not null,
    contact bytea,
    status text not null,
    external_key uuid,
    created_at timestamptz not null,
    primary key (tenant, id)
);
create unique index pki_acme_account_handle on pki_acme_account (handle);
create unique index pki_acme_account_key on pki_acme_account (tenant, environment, thumbprint);

create table pki_acme_authorization (
    tenant uuid not null,
    id uuid not null,
    handle text not null,
    account uuid not null,
    identifier text not null,
    wildcard bigint not null,
    token text not null,
    status text not null,
    challenge text,
    error text,
    attempts bigint not null,
    next_attempt_at timestamptz,
    validated_at timestamptz,
    expires_at timestamptz not null,
    primary key (tenant, id)
);
create unique index pki_acme_authorization_handle on pki_acme_authorization (handle);
create index pki_acme_authorization_standing
    on pki_acme_authorization (tenant, account, status, identifier, expires_at);
create index pki_acme_authorization_due on pki_acme_authorization (next_attempt_at);
create index pki_acme_authorization_expiry on pki_acme_authorization (expires_at);

create table pki_acme_order (
    tenant uuid not null,
    id uuid not null,
    handle text not null,
    account uuid not null,
    identifiers text not null,
    profile text not null,
    replaces text,
    not_after timestamptz,
    csr_sha256 bytea,
    certificate uuid,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    primary key (tenant, id)
);
create unique index pki_acme_order_handle on pki_acme_order (handle);
create index pki_acme_order_account on pki_acme_order (tenant, account, id);
create index pki_acme_order_certificate on pki_acme_order (tenant, certificate);
create index pki_acme_order_replaces on pki_acme_order (tenant, replaces);
create index pki_acme_order_expiry on pki_acme_order (expires_at);

create table pki_acme_order_part (
    tenant uuid not null,
    acme_order uuid not null,
    position bigint not null,
    acme_authorization uuid not null,
    primary key (tenant, acme_order, position)
);
