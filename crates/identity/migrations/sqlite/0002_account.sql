create table identity_account (
    tenant blob not null,
    id blob not null,
    name text not null,
    permissions text not null,
    networks text not null,
    created_at text not null,
    closed_at text,
    primary key (tenant, id)
) strict;
create unique index identity_account_name on identity_account (tenant, name);

create table identity_account_certificate (
    tenant blob not null,
    certificate blob not null,
    account blob not null,
    bound_at text not null,
    primary key (tenant, certificate)
) strict;
create unique index identity_account_certificate_once on identity_account_certificate (certificate);
