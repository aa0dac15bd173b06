-- Whose key it is is asked before each certificate: by the key first, whatever else narrows it.
drop index pki_certificate_key;
create index pki_certificate_key on pki_certificate (tenant, spki_sha256, state, not_after);
