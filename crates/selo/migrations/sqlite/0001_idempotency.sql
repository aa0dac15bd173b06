create table selo_idempotency (
    id blob not null,
    digest blob not null,
    claimed_at text not null,
    reply_sealed blob,
    primary key (id)
) strict;
create index selo_idempotency_claimed on selo_idempotency (claimed_at);
