create table pki_authority (
    tenant uuid not null,
    id uuid not null,
    environment text not null,
    root_of text,
    kind text not null,
    handle text not null,
    name text not null,
    certificate uuid not null,
    der bytea not null,
    spki_sha256 bytea not null,
    key uuid,
    parent uuid,
    state text not null,
    shards bigint not null,
    not_before timestamptz not null,
    not_after timestamptz not null,
    created_at timestamptz not null,
    primary key (tenant, id)
);
create unique index pki_authority_handle on pki_authority (handle);
create unique index pki_authority_root on pki_authority (tenant, root_of);

create table pki_certificate (
    tenant uuid not null,
    id uuid not null,
    authority uuid not null,
    serial bytea not null,
    shard bigint not null,
    profile text not null,
    subject text not null,
    names text not null,
    names_sha256 bytea not null,
    spki_sha256 bytea not null,
    not_before timestamptz not null,
    renew_at timestamptz not null,
    not_after timestamptz not null,
    state text not null,
    tbs bytea not null,
    der bytea,
    owner text not null,
    source text not null,
    asked_by text not null,
    planned_at timestamptz not null,
    issued_at timestamptz,
    revoked_at timestamptz,
    reason bigint,
    invalid_since timestamptz,
    primary key (tenant, id)
);
create unique index pki_certificate_serial on pki_certificate (authority, serial);
create index pki_certificate_revoked on pki_certificate (tenant, authority, shard, revoked_at);
create index pki_certificate_key on pki_certificate (tenant, spki_sha256);
create index pki_certificate_state on pki_certificate (tenant, state, id);
create index pki_certificate_expiry on pki_certificate (tenant, state, not_after);
create index pki_certificate_planned on pki_certificate (state, planned_at);
create index pki_certificate_names on pki_certificate (tenant, names_sha256);
create index pki_certificate_owner on pki_certificate (tenant, owner, id);

create table pki_name (
    tenant uuid not null,
    certificate uuid not null,
    position bigint not null,
    name text not null,
    reversed text not null,
    primary key (tenant, certificate, position)
);
create index pki_name_forward on pki_name (tenant, name);
create index pki_name_backward on pki_name (tenant, reversed);

create table pki_barred (
    tenant uuid not null,
    spki_sha256 bytea not null,
    cause text not null,
    since timestamptz not null,
    primary key (tenant, spki_sha256)
);

create table pki_crl (
    tenant uuid not null,
    authority uuid not null,
    shard bigint not null,
    version bigint not null,
    number bigint not null,
    signed_version bigint not null,
    signed_number bigint not null,
    der bytea,
    this_update timestamptz,
    next_update timestamptz,
    primary key (tenant, authority, shard)
);

create table pki_responder (
    tenant uuid not null,
    authority uuid not null,
    certificate uuid not null,
    key uuid not null,
    der bytea not null,
    not_before timestamptz not null,
    not_after timestamptz not null,
    primary key (tenant, authority, certificate)
);

create table pki_ceremony (
    tenant uuid not null,
    id uuid not null,
    environment text not null,
    state text not null,
    request text not null,
    key uuid not null,
    crl_tbs bytea not null,
    transcript text,
    signature bytea,
    planned_at timestamptz not null,
    held_at timestamptz,
    primary key (tenant, id)
);
create index pki_ceremony_state on pki_ceremony (state, planned_at);
