//! What can go wrong with keys.

base::codes! {
    /// The passphrase does not open the key file.
    WRONG_PASSPHRASE = "KEYS_WRONG_PASSPHRASE", Forbidden,
        en "The passphrase does not open the key file {file}." => "Give the passphrase that the house was made with (--passphrase-file FILE). Without it nothing sealed can be read.",
        pt "A frase-passe não abre o ficheiro de chaves {file}." => "Indique a frase-passe com que a casa foi criada (--passphrase-file FICHEIRO). Sem ela nada do que está selado pode ser lido.";
    /// The key file is not there or not of its form.
    FILE = "KEYS_FILE_UNREADABLE", Internal,
        en "The key file {file} cannot be read." => "Put the key file back from its backup; the database alone is not enough.",
        pt "O ficheiro de chaves {file} não pode ser lido." => "Reponha o ficheiro de chaves a partir da cópia; a base de dados sozinha não basta.";
    /// A sealed value does not open: altered, moved to another row, or sealed with a key that is gone.
    UNSEAL = "KEYS_UNSEAL", Internal,
        en "A sealed value in {place} does not open." => "Run selo doctor; the value was altered or belongs elsewhere.",
        pt "Um valor selado em {place} não se abre." => "Execute selo doctor; o valor foi alterado ou pertence a outro lugar.";
    /// The person's key is destroyed.
    PERSON_FORGOTTEN = "PERSON_ERASED", NotFound,
        en "The data of this person has been erased." => "Nothing can bring it back; a copy in the person's own hands still verifies.",
        pt "Os dados desta pessoa foram apagados." => "Nada os pode repor; uma cópia em posse da própria pessoa continua a verificar-se.";
    /// There is no key for that purpose.
    NO_KEY = "KEYS_NONE_ACTIVE", Unavailable,
        en "There is no active key for {purpose}." => "Make one: selo keys rotate.",
        pt "Não há chave ativa para {purpose}." => "Crie uma: selo keys rotate.";
    /// A key that cannot be used for signing.
    SIGN = "KEYS_SIGN", Internal,
        en "The key {key} cannot sign." => "Run selo doctor.",
        pt "A chave {key} não consegue assinar." => "Execute selo doctor.";
    /// An issuer named by its first key cannot change it.
    ROTATION_DID_KEY = "KEYS_ROTATION_DID_KEY", Conflict,
        en "This issuer is named by its key (did:key), so a new key would be a new issuer." => "Give the house a public address with https first; then the issuer is did:web and its keys can rotate.",
        pt "Este emissor é designado pela sua chave (did:key), pelo que uma chave nova seria um emissor novo." => "Dê primeiro à casa um endereço público com https; o emissor passa a did:web e as chaves podem rodar.";
}
