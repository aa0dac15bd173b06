create index pki_certificate_profile on pki_certificate (tenant, profile, id);
create index pki_certificate_end on pki_certificate (tenant, not_after, id);
drop index pki_certificate_expiry;
create index pki_certificate_state_end on pki_certificate (tenant, state, not_after, id);
drop index pki_certificate_names;
create index pki_certificate_succession on pki_certificate (tenant, names_sha256, profile, state, not_after);
create index pki_certificate_counts on pki_certificate (tenant, authority, profile, state, not_after);
