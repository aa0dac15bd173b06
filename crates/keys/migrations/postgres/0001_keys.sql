create table keys_signing (
    tenant uuid not null,
    id uuid not null,
    purpose text not null,
    algorithm text not null,
    public bytea not null,
    private_sealed bytea not null,
    state text not null,
    created_at timestamptz not null,
    retired_at timestamptz,
    primary key (tenant, id)
);
create index keys_signing_purpose on keys_signing (tenant, purpose, id);

create table keys_person (
    tenant uuid not null,
    person uuid not null,
    epoch bigint not null,
    wrapped bytea not null,
    primary key (tenant, person)
);
create index keys_person_epoch on keys_person (epoch);
