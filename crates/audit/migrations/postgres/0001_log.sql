create table audit_log (
    log text not null,
    origin text not null,
    key uuid not null,
    size bigint not null,
    root bytea not null,
    checkpoint bytea,
    signed_at timestamptz,
    primary key (log)
);
