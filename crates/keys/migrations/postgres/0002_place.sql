alter table keys_signing add column place text not null default 'sealed';
alter table keys_signing alter column private_sealed drop not null;
alter table keys_signing add check ((place = 'sealed') = (private_sealed is not null));
