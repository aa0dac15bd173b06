create index events_fact_type on events_fact (tenant, type, id);
