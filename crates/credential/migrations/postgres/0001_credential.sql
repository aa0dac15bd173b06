create table credential_list (
    tenant uuid not null,
    id uuid not null,
    handle text not null,
    size bigint not null,
    used bigint not null,
    seed_sealed bytea not null,
    version bigint not null,
    signed bytea,
    signed_version bigint not null,
    signed_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant, id)
);
create unique index credential_list_handle on credential_list (handle);

create table credential_credential (
    tenant uuid not null,
    id uuid not null,
    person uuid not null,
    template text not null,
    template_digest bytea not null,
    state text not null,
    list uuid not null,
    idx bigint not null,
    key uuid not null,
    handle text not null,
    recipient_handle text not null,
    plan_sealed bytea,
    body_sealed bytea,
    reason_sealed bytea,
    job uuid,
    line bigint,
    planned_at timestamptz not null,
    issued_at timestamptz,
    status_at timestamptz,
    erased_at timestamptz,
    primary key (tenant, id)
);
create unique index credential_credential_handle on credential_credential (handle);
create unique index credential_credential_recipient on credential_credential (recipient_handle);
create unique index credential_credential_place on credential_credential (tenant, list, idx);
create unique index credential_credential_row on credential_credential (tenant, job, line);
create index credential_credential_person on credential_credential (tenant, person);
create index credential_credential_state on credential_credential (tenant, state, id);
create index credential_credential_planned on credential_credential (state, planned_at);

create table credential_row (
    tenant uuid not null,
    job uuid not null,
    line bigint not null,
    person uuid not null,
    row_sealed bytea,
    outcome text not null,
    credential uuid,
    error_code text,
    error_field text,
    error_sealed bytea,
    primary key (tenant, job, line)
);
create index credential_row_outcome on credential_row (tenant, job, outcome, line);
create index credential_row_person on credential_row (tenant, person);

create table credential_batch (
    tenant uuid not null,
    job uuid not null,
    template text not null,
    columns text not null,
    state text not null,
    received_at timestamptz not null,
    primary key (tenant, job)
);
create index credential_batch_state on credential_batch (state, received_at);
