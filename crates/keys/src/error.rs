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
    /// A token is configured in part.
    TOKEN_SETTING = "KEYS_TOKEN_SETTING", Invalid,
        en "The token needs the setting {key}." => "Give keys.token.library, keys.token.label and keys.token.pin_file together, or none of them.",
        pt "O dispositivo precisa da opção {key}." => "Indique keys.token.library, keys.token.label e keys.token.pin_file em conjunto, ou nenhuma.";
    /// More sessions are configured than the token allows.
    TOKEN_SESSIONS = "KEYS_TOKEN_SESSIONS", Invalid,
        en "The token allows {limit} sessions at once." => "Set keys.token.sessions below that.",
        pt "O dispositivo permite {limit} sessões ao mesmo tempo." => "Defina keys.token.sessions abaixo desse valor.";
    /// A key lives on a token and none is configured.
    TOKEN_NOT_CONFIGURED = "KEYS_TOKEN_NOT_CONFIGURED", Unavailable,
        en "The key lives on a token, and no token is configured." => "Set keys.token.library, keys.token.label and keys.token.pin_file, and start the house again.",
        pt "A chave vive num dispositivo, e não há dispositivo configurado." => "Defina keys.token.library, keys.token.label e keys.token.pin_file e volte a iniciar a casa.";
    /// The PKCS#11 library cannot be loaded.
    TOKEN_LIBRARY = "KEYS_TOKEN_LIBRARY", Unavailable,
        en "The PKCS#11 library {library} cannot be loaded." => "Check keys.token.library, and that the library fits this machine.",
        pt "A biblioteca PKCS#11 {library} não pode ser carregada." => "Verifique keys.token.library, e se a biblioteca é para esta máquina.";
    /// No token has the configured label.
    TOKEN_MISSING = "KEYS_TOKEN_MISSING", Unavailable,
        en "There is no token with the label {label}." => "Put the token in, or check keys.token.label.",
        pt "Não há dispositivo com a etiqueta {label}." => "Ligue o dispositivo, ou verifique keys.token.label.";
    /// The token refused the PIN, or would lock itself at the next wrong one.
    TOKEN_PIN = "KEYS_TOKEN_PIN_REFUSED", Unavailable,
        en "The token {label} refuses the PIN; it is not tried again." => "Put the right PIN into the file of keys.token.pin_file. If the token is locked, or has one try left, log in with its own tool first.",
        pt "O dispositivo {label} recusa o PIN; não se volta a tentar." => "Ponha o PIN certo no ficheiro de keys.token.pin_file. Se o dispositivo está bloqueado, ou só tem uma tentativa, entre primeiro com a ferramenta dele.";
    /// The token does not hold the key.
    TOKEN_KEY_MISSING = "KEYS_TOKEN_KEY_MISSING", Internal,
        en "The token does not hold the key {key}." => "Check that it is the right token; restore the key from the token's own backup.",
        pt "O dispositivo não tem a chave {key}." => "Verifique se é o dispositivo certo; reponha a chave a partir da cópia do próprio dispositivo.";
    /// What the token holds under the key's name is another key.
    TOKEN_KEY_MISMATCH = "KEYS_TOKEN_KEY_MISMATCH", Internal,
        en "The key {key} on the token is not the one this house knows." => "Nothing was signed. Check that it is the right token, and who wrote to it.",
        pt "A chave {key} no dispositivo não é a que esta casa conhece." => "Nada foi assinado. Verifique se é o dispositivo certo, e quem escreveu nele.";
    /// The token does not answer, or was lost in the middle of an operation.
    TOKEN_AWAY = "KEYS_TOKEN_AWAY", Unavailable,
        en "The token that holds the key does not answer." => "Nothing was signed. Try again; if it stays, look at the token and its connection.",
        pt "O dispositivo que guarda a chave não responde." => "Nada foi assinado. Tente de novo; se persistir, verifique o dispositivo e a sua ligação.";
    /// A key of this algorithm cannot live on a token.
    TOKEN_ALGORITHM = "KEYS_TOKEN_ALGORITHM", Invalid,
        en "A key {algorithm} cannot live on a token." => "Choose p256 or p384.",
        pt "Uma chave {algorithm} não pode viver num dispositivo." => "Escolha p256 ou p384.";
    /// The token made a key that could be taken out of it.
    TOKEN_EXTRACTABLE = "KEYS_TOKEN_EXTRACTABLE", Internal,
        en "The token made a key that could be taken out of it; the key was destroyed." => "Use a token that keeps its keys, or set it up so.",
        pt "O dispositivo criou uma chave que poderia ser extraída; a chave foi destruída." => "Use um dispositivo que guarde as suas chaves, ou configure-o assim.";
    /// A text that is no share of a key.
    SHARE = "KEYS_SHARE_MALFORMED", Malformed,
        en "This is no share of a key, or it is not whole." => "Type all groups of the share as they are written.",
        pt "Isto não é uma parte de uma chave, ou não está completa." => "Escreva todos os grupos da parte tal como estão escritos.";
    /// A group of a share that is mistyped.
    SHARE_MISTYPED = "KEYS_SHARE_MISTYPED", Malformed,
        en "Group {group} of the share is mistyped." => "Compare that group and its neighbours with what is written.",
        pt "O grupo {group} da parte está mal escrito." => "Compare esse grupo e os vizinhos com o que está escrito.";
    /// Fewer shares than are needed.
    SHARES_TOO_FEW = "KEYS_SHARES_TOO_FEW", Invalid,
        en "{given} share(s) are given and {needed} are needed." => "Bring more of the people who hold a share.",
        pt "Foram dadas {given} parte(s) e são precisas {needed}." => "Reúna mais pessoas que tenham uma parte.";
    /// Shares that do not belong together.
    SHARES_MIXED = "KEYS_SHARES_MIXED", Invalid,
        en "The shares are not all of one set, or one is there twice." => "Compare the numbers of the sets; give each share once.",
        pt "As partes não são todas do mesmo conjunto, ou há uma repetida." => "Compare os números dos conjuntos; dê cada parte uma só vez.";
    /// Shares that together give no key.
    SHARES_WRONG = "KEYS_SHARES_WRONG", Invalid,
        en "Together the shares give no key: at least one is wrong." => "Try other shares of the set to find the wrong one.",
        pt "Juntas, as partes não dão uma chave: pelo menos uma está errada." => "Experimente outras partes do conjunto para encontrar a errada.";
    /// A splitting that is not done.
    SHARES_BOUNDS = "KEYS_SHARES_BOUNDS", Invalid,
        en "A key is split into 2 to 16 shares, of which at least 2 and at most all are needed." => "Choose other numbers, e.g. 2 of 3.",
        pt "Uma chave divide-se em 2 a 16 partes, das quais são precisas pelo menos 2 e no máximo todas." => "Escolha outros números, p. ex. 2 de 3.";
}
