create table events_fact (
    tenant blob not null,
    id blob not null,
    log text not null,
    type text not null,
    time text not null,
    actor_kind text not null,
    actor_id text not null,
    resource_type text not null,
    resource_id text not null,
    correlation text not null,
    payload text not null,
    entry blob not null,
    person blob,
    sealed blob,
    origin_sealed blob,
    primary key (tenant, id)
) strict;
create unique index events_fact_id on events_fact (id);
create index events_fact_actor on events_fact (tenant, actor_id, id);
create index events_fact_resource on events_fact (tenant, resource_id, id);
create index events_fact_correlation on events_fact (tenant, correlation, id);
create index events_fact_person on events_fact (tenant, person);
create index events_fact_thing on events_fact (resource_id);
create index events_fact_time on events_fact (time);

create table events_pending (
    fact blob not null,
    log text not null,
    primary key (fact)
) strict;
create index events_pending_log on events_pending (log, fact);

create table events_leaf (
    log text not null,
    idx integer not null,
    fact blob not null,
    hash blob not null,
    primary key (log, idx)
) strict;
create unique index events_leaf_fact on events_leaf (fact);

create table events_cursor (
    consumer text not null,
    log text not null,
    next integer not null,
    primary key (consumer, log)
) strict;

create table events_inbox (
    consumer text not null,
    fact blob not null,
    time text not null,
    primary key (consumer, fact)
) strict;

create table events_dead (
    consumer text not null,
    fact blob not null,
    time text not null,
    attempts integer not null,
    code text not null,
    primary key (consumer, fact)
) strict;

create table events_job (
    tenant blob not null,
    id blob not null,
    kind text not null,
    state text not null,
    input text not null,
    total integer not null,
    done integer not null,
    failed integer not null,
    attempts integer not null,
    not_before text not null,
    deadline text not null,
    lease_token integer not null,
    lease_until text,
    error_code text,
    created_at text not null,
    finished_at text,
    primary key (tenant, id)
) strict;
create index events_job_due on events_job (state, not_before);
