-- SQLite cannot make a column optional, so the table is made anew.
create table keys_signing_placed (
    tenant blob not null,
    id blob not null,
    purpose text not null,
    algorithm text not null,
    public blob not null,
    private_sealed blob,
    state text not null,
    created_at text not null,
    retired_at text,
    place text not null default 'sealed',
    primary key (tenant, id),
    check ((place = 'sealed') = (private_sealed is not null))
) strict;
insert into keys_signing_placed
    (tenant, id, purpose, algorithm, public, private_sealed, state, created_at, retired_at)
select tenant, id, purpose, algorithm, public, private_sealed, state, created_at, retired_at
from keys_signing;
drop table keys_signing;
alter table keys_signing_placed rename to keys_signing;
create index keys_signing_purpose on keys_signing (tenant, purpose, id);
