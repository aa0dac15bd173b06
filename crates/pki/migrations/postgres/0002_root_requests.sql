create table pki_root_request (
    tenant uuid not null,
    id uuid not null,
    environment text not null,
    root uuid not null,
    -- the root while the request is open, so that a root has one open request at a time
    open_of uuid,
    state text not null,
    reason text not null,
    plan text not null,
    issuing_tbs bytea,
    crl_tbs bytea,
    key uuid,
    asked_by text not null,
    planned_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant, id)
);
create unique index pki_root_request_open on pki_root_request (tenant, open_of);
