create table pki_root_request (
    tenant blob not null,
    id blob not null,
    environment text not null,
    root blob not null,
    -- the root while the request is open, so that a root has one open request at a time
    open_of blob,
    state text not null,
    reason text not null,
    plan text not null,
    issuing_tbs blob,
    crl_tbs blob,
    key blob,
    asked_by text not null,
    planned_at text not null,
    ended_at text,
    primary key (tenant, id)
) strict;
create unique index pki_root_request_open on pki_root_request (tenant, open_of);
