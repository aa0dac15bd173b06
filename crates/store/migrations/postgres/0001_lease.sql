-- Who may do what only one process may do, and the fencing token that goes up with every change of hands.
create table store_lease (
    name text not null primary key,
    holder text not null,
    token bigint not null,
    until timestamptz not null
);
