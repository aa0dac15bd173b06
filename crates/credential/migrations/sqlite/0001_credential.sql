create table credential_list (
    tenant blob not null,
    id blob not null,
    handle text not null,
    size integer not null,
    used integer not null,
    seed_sealed blob not null,
    version integer not null,
    signed blob,
    signed_version integer not null,
    signed_at text,
    created_at text not null,
    primary key (tenant, id)
) strict;
create unique index credential_list_handle on credential_list (handle);

create table credential_credential (
    tenant blob not null,
    id blob not null,
    person blob not null,
    template text not null,
    template_digest blob not null,
    state text not null,
    list blob not null,
    idx integer not null,
    key blob not null,
    handle text not null,
    recipient_handle text not null,
    plan_sealed blob,
    body_sealed blob,
    reason_sealed blob,
    job blob,
    line integer,
    planned_at text not null,
    issued_at text,
    status_at text,
    erased_at text,
    primary key (tenant, id)
) strict;
create unique index credential_credential_handle on credential_credential (handle);
create unique index credential_credential_recipient on credential_credential (recipient_handle);
create unique index credential_credential_place on credential_credential (tenant, list, idx);
create unique index credential_credential_row on credential_credential (tenant, job, line);
create index credential_credential_person on credential_credential (tenant, person);
create index credential_credential_state on credential_credential (tenant, state, id);
create index credential_credential_planned on credential_credential (state, planned_at);

create table credential_row (
    tenant blob not null,
    job blob not null,
    line integer not null,
    person blob not null,
    row_sealed blob,
    outcome text not null,
    credential blob,
    error_code text,
    error_field text,
    error_sealed blob,
    primary key (tenant, job, line)
) strict;
create index credential_row_outcome on credential_row (tenant, job, outcome, line);
create index credential_row_person on credential_row (tenant, person);

create table credential_batch (
    tenant blob not null,
    job blob not null,
    template text not null,
    columns text not null,
    state text not null,
    received_at text not null,
    primary key (tenant, job)
) strict;
create index credential_batch_state on credential_batch (state, received_at);
