create table keys_signing (
    tenant blob not null,
    id blob not null,
    purpose text not null,
    algorithm text not null,
    public blob not null,
    private_sealed blob not null,
    state text not null,
    created_at text not null,
    retired_at text,
    primary key (tenant, id)
) strict;
create index keys_signing_purpose on keys_signing (tenant, purpose, id);

create table keys_person (
    tenant blob not null,
    person blob not null,
    epoch integer not null,
    wrapped blob not null,
    primary key (tenant, person)
) strict;
create index keys_person_epoch on keys_person (epoch);
