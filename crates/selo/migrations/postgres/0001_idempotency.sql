create table selo_idempotency (
    id bytea not null,
    digest bytea not null,
    claimed_at timestamptz not null,
    reply_sealed bytea,
    primary key (id)
);
create index selo_idempotency_claimed on selo_idempotency (claimed_at);
