-- Searches: each follows one of these and stops after a page.
create index pki_certificate_profile on pki_certificate (tenant, profile, id);
create index pki_certificate_end on pki_certificate (tenant, not_after, id);
-- What is in force by its end, with all that decides whether it is overdue, so that counting never visits the table.
drop index pki_certificate_expiry;
create index pki_certificate_state_end on pki_certificate
    (tenant, state, not_after, id, renew_at, profile, authority, names_sha256);
drop index pki_certificate_names;
create index pki_certificate_succession on pki_certificate (tenant, names_sha256, profile, state, not_after);
create index pki_certificate_counts on pki_certificate (tenant, authority, profile, state, not_after);
-- A revocation list is read out of this index alone; what was never revoked is not in it.
drop index pki_certificate_revoked;
create index pki_certificate_revoked on pki_certificate
    (tenant, authority, shard, revoked_at, serial, reason, invalid_since, not_after) where revoked_at is not null;
