create table pki_authority (
    tenant blob not null,
    id blob not null,
    environment text not null,
    root_of text,
    kind text not null,
    handle text not null,
    name text not null,
    certificate blob not null,
    der blob not null,
    spki_sha256 blob not null,
    key blob,
    parent blob,
    state text not null,
    shards integer not null,
    not_before text not null,
    not_after text not null,
    created_at text not null,
    primary key (tenant, id)
) strict;
create unique index pki_authority_handle on pki_authority (handle);
create unique index pki_authority_root on pki_authority (tenant, root_of);

create table pki_certificate (
    tenant blob not null,
    id blob not null,
    authority blob not null,
    serial blob not null,
    shard integer not null,
    profile text not null,
    subject text not null,
    names text not null,
    names_sha256 blob not null,
    spki_sha256 blob not null,
    not_before text not null,
    renew_at text not null,
    not_after text not null,
    state text not null,
    tbs blob not null,
    der blob,
    owner text not null,
    source text not null,
    asked_by text not null,
    planned_at text not null,
    issued_at text,
    revoked_at text,
    reason integer,
    invalid_since text,
    primary key (tenant, id)
) strict;
create unique index pki_certificate_serial on pki_certificate (authority, serial);
create index pki_certificate_revoked on pki_certificate (tenant, authority, shard, revoked_at);
create index pki_certificate_key on pki_certificate (tenant, spki_sha256);
create index pki_certificate_state on pki_certificate (tenant, state, id);
create index pki_certificate_expiry on pki_certificate (tenant, state, not_after);
create index pki_certificate_planned on pki_certificate (state, planned_at);
create index pki_certificate_names on pki_certificate (tenant, names_sha256);
create index pki_certificate_owner on pki_certificate (tenant, owner, id);

create table pki_name (
    tenant blob not null,
    certificate blob not null,
    position integer not null,
    name text not null,
    reversed text not null,
    primary key (tenant, certificate, position)
) strict;
create index pki_name_forward on pki_name (tenant, name);
create index pki_name_backward on pki_name (tenant, reversed);

create table pki_barred (
    tenant blob not null,
    spki_sha256 blob not null,
    cause text not null,
    since text not null,
    primary key (tenant, spki_sha256)
) strict;

create table pki_crl (
    tenant blob not null,
    authority blob not null,
    shard integer not null,
    version integer not null,
    number integer not null,
    signed_version integer not null,
    signed_number integer not null,
    der blob,
    this_update text,
    next_update text,
    primary key (tenant, authority, shard)
) strict;

create table pki_responder (
    tenant blob not null,
    authority blob not null,
    certificate blob not null,
    key blob not null,
    der blob not null,
    not_before text not null,
    not_after text not null,
    primary key (tenant, authority, certificate)
) strict;

create table pki_ceremony (
    tenant blob not null,
    id blob not null,
    environment text not null,
    state text not null,
    request text not null,
    key blob not null,
    crl_tbs blob not null,
    transcript text,
    signature blob,
    planned_at text not null,
    held_at text,
    primary key (tenant, id)
) strict;
create index pki_ceremony_state on pki_ceremony (state, planned_at);
