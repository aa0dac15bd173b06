create table identity_tenant (
    tenant uuid not null,
    name text not null,
    did text not null,
    created_at timestamptz not null,
    primary key (tenant)
);

create table identity_person (
    tenant uuid not null,
    id uuid not null,
    kind text not null,
    identifier_index bytea,
    identifier_sealed bytea,
    created_at timestamptz not null,
    erased_at timestamptz,
    primary key (tenant, id)
);
create unique index identity_person_identifier on identity_person (tenant, kind, identifier_index);

create table identity_user (
    tenant uuid not null,
    id uuid not null,
    name text not null,
    roles jsonb not null,
    created_at timestamptz not null,
    primary key (tenant, id)
);

create table identity_once (
    tenant uuid not null,
    hash bytea not null,
    user_id uuid not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (tenant, hash)
);

create table identity_session (
    tenant uuid not null,
    hash bytea not null,
    id uuid not null,
    user_id uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant, hash)
);

create table identity_api_key (
    tenant uuid not null,
    id uuid not null,
    name text not null,
    roles jsonb not null,
    hash bytea not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant, id)
);
create unique index identity_api_key_hash on identity_api_key (hash);
