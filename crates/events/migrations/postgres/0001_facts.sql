create table events_fact (
    tenant uuid not null,
    id uuid not null,
    log text not null,
    type text not null,
    time timestamptz not null,
    actor_kind text not null,
    actor_id text not null,
    resource_type text not null,
    resource_id text not null,
    correlation text not null,
    payload jsonb not null,
    entry bytea not null,
    person uuid,
    sealed bytea,
    origin_sealed bytea,
    primary key (tenant, id)
);
create unique index events_fact_id on events_fact (id);
create index events_fact_actor on events_fact (tenant, actor_id, id);
create index events_fact_resource on events_fact (tenant, resource_id, id);
create index events_fact_correlation on events_fact (tenant, correlation, id);
create index events_fact_person on events_fact (tenant, person);
create index events_fact_thing on events_fact (resource_id);
create index events_fact_time on events_fact (time);

create table events_pending (
    fact uuid not null,
    log text not null,
    primary key (fact)
);
create index events_pending_log on events_pending (log, fact);

create table events_leaf (
    log text not null,
    idx bigint not null,
    fact uuid not null,
    hash bytea not null,
    primary key (log, idx)
);
create unique index events_leaf_fact on events_leaf (fact);

create table events_cursor (
    consumer text not null,
    log text not null,
    next bigint not null,
    primary key (consumer, log)
);

create table events_inbox (
    consumer text not null,
    fact uuid not null,
    time timestamptz not null,
    primary key (consumer, fact)
);

create table events_dead (
    consumer text not null,
    fact uuid not null,
    time timestamptz not null,
    attempts bigint not null,
    code text not null,
    primary key (consumer, fact)
);

create table events_job (
    tenant uuid not null,
    id uuid not null,
    kind text not null,
    state text not null,
    input jsonb not null,
    total bigint not null,
    done bigint not null,
    failed bigint not null,
    attempts bigint not null,
    not_before timestamptz not null,
    deadline timestamptz not null,
    lease_token bigint not null,
    lease_until timestamptz,
    error_code text,
    created_at timestamptz not null,
    finished_at timestamptz,
    primary key (tenant, id)
);
create index events_job_due on events_job (state, not_before);
