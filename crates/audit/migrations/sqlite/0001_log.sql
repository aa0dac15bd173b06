create table audit_log (
    log text not null,
    origin text not null,
    key blob not null,
    size integer not null,
    root blob not null,
    checkpoint blob,
    signed_at text,
    primary key (log)
) strict;
