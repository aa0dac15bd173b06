create table identity_account (
    tenant uuid not null,
    id uuid not null,
    name text not null,
    permissions jsonb not null,
    networks jsonb not null,
    created_at timestamptz not null,
    closed_at timestamptz,
    primary key (tenant, id)
);
create unique index identity_account_name on identity_account (tenant, name);

create table identity_account_certificate (
    tenant uuid not null,
    certificate uuid not null,
    account uuid not null,
    bound_at timestamptz not null,
    primary key (tenant, certificate)
);
create unique index identity_account_certificate_once on identity_account_certificate (certificate);
