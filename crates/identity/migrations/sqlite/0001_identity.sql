create table identity_tenant (
    tenant blob not null,
    name text not null,
    did text not null,
    created_at text not null,
    primary key (tenant)
) strict;

create table identity_person (
    tenant blob not null,
    id blob not null,
    kind text not null,
    identifier_index blob,
    identifier_sealed blob,
    created_at text not null,
    erased_at text,
    primary key (tenant, id)
) strict;
create unique index identity_person_identifier on identity_person (tenant, kind, identifier_index);

create table identity_user (
    tenant blob not null,
    id blob not null,
    name text not null,
    roles text not null,
    created_at text not null,
    primary key (tenant, id)
) strict;

create table identity_once (
    tenant blob not null,
    hash blob not null,
    user_id blob not null,
    expires_at text not null,
    used_at text,
    primary key (tenant, hash)
) strict;

create table identity_session (
    tenant blob not null,
    hash blob not null,
    id blob not null,
    user_id blob not null,
    created_at text not null,
    expires_at text not null,
    ended_at text,
    primary key (tenant, hash)
) strict;

create table identity_api_key (
    tenant blob not null,
    id blob not null,
    name text not null,
    roles text not null,
    hash blob not null,
    created_at text not null,
    revoked_at text,
    primary key (tenant, id)
) strict;
create unique index identity_api_key_hash on identity_api_key (hash);
