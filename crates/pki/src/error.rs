//! What can go wrong with certificates and authorities.

base::codes! {
    /// No such certificate.
    NOT_FOUND = "PKI_CERTIFICATE_NOT_FOUND", NotFound,
        en "There is no certificate {id}." => "Copy the id or the serial number from the list: selo pki list",
        pt "Não existe o certificado {id}." => "Copie o identificador ou o número de série da lista: selo pki list";
    /// No authority that could issue.
    AUTHORITY_NONE = "PKI_AUTHORITY_NOT_FOUND", NotFound,
        en "There is no issuing authority here." => "Make a hierarchy first: selo pki init",
        pt "Não existe aqui nenhuma autoridade emissora." => "Crie primeiro uma hierarquia: selo pki init";
    /// Several authorities could issue.
    AUTHORITY_NEEDED = "PKI_ENVIRONMENT_NEEDED", Invalid,
        en "There are several issuing authorities." => "Name the environment, one of: {known}.",
        pt "Há várias autoridades emissoras." => "Indique o ambiente, um de: {known}.";
    /// The environment has its hierarchy.
    ENVIRONMENT_TAKEN = "PKI_ENVIRONMENT_TAKEN", Conflict,
        en "The environment {environment} has its hierarchy already." => "Use it, or name another environment.",
        pt "O ambiente {environment} já tem a sua hierarquia." => "Use-a, ou indique outro ambiente.";
    /// The order of a ceremony.
    CEREMONY = "PKI_CEREMONY_INVALID", Invalid,
        en "The ceremony's order is not right: {reason}." => "Mend the file; nothing was signed.",
        pt "A ordem da cerimónia não está correta: {reason}." => "Corrija o ficheiro; nada foi assinado.";
    /// A ceremony that is over, or was given up.
    CEREMONY_GONE = "PKI_CEREMONY_GONE", Conflict,
        en "This ceremony is over or was given up." => "Begin a new one: selo pki init",
        pt "Esta cerimónia já terminou ou foi abandonada." => "Comece uma nova: selo pki init";
    /// The root did not sign what was planned.
    SIGNATURE = "PKI_SIGNATURE_WRONG", Invalid,
        en "A signature of the root does not hold over what was planned." => "Sign exactly the bytes that were given, with the root's key.",
        pt "Uma assinatura da raiz não é válida sobre o que foi planeado." => "Assine exatamente os bytes indicados, com a chave da raiz.";
    /// No such profile.
    PROFILE_UNKNOWN = "PKI_PROFILE_UNKNOWN", Invalid,
        en "There is no profile {profile}." => "Choose one of: {known}.",
        pt "Não existe o perfil {profile}." => "Escolha um de: {known}.";
    /// A profile that the asker may not have.
    PROFILE_FORBIDDEN = "PKI_PROFILE_FORBIDDEN", Forbidden,
        en "Certificates of the profile {profile} are not for this asker." => "The operator decides this with {setting}.",
        pt "Os certificados do perfil {profile} não são para este requerente." => "O operador decide isto com {setting}.";
    /// A name that the asker may not have.
    NAME_FORBIDDEN = "PKI_NAME_FORBIDDEN", Forbidden,
        en "The name {name} is not for this asker." => "The operator decides this with {setting}.",
        pt "O nome {name} não é para este requerente." => "O operador decide isto com {setting}.";
    /// A wildcard where none are issued.
    WILDCARD = "PKI_WILDCARD_FORBIDDEN", Forbidden,
        en "The name {name} has a wildcard, and none are issued." => "Name each host, or let the operator set pki.allow_wildcards.",
        pt "O nome {name} tem um carácter universal, e não são emitidos." => "Indique cada máquina, ou peça ao operador pki.allow_wildcards.";
    /// A name outside the constraints of the issuer.
    CONSTRAINED = "PKI_NAME_CONSTRAINED", Forbidden,
        en "The issuer's constraints do not permit it: {reason}." => "Only a new hierarchy can name other things.",
        pt "As restrições do emissor não o permitem: {reason}." => "Só uma nova hierarquia pode dar outros nomes.";
    /// A name that cannot stand in a certificate.
    NAME = "PKI_NAME_INVALID", Invalid,
        en "The name {name} cannot stand in a certificate: {reason}." => "Correct the name.",
        pt "O nome {name} não pode constar de um certificado: {reason}." => "Corrija o nome.";
    /// More names than a certificate may have.
    NAMES_MANY = "PKI_NAMES_TOO_MANY", Invalid,
        en "More than {limit} names were asked for." => "Ask for several certificates.",
        pt "Foram pedidos mais de {limit} nomes." => "Peça vários certificados.";
    /// A request that cannot be accepted.
    REQUEST = "PKI_REQUEST_INVALID", Invalid,
        en "The certificate request is not accepted: {reason}." => "Make a new request and send it.",
        pt "O pedido de certificado não é aceite: {reason}." => "Faça um novo pedido e envie-o.";
    /// Neither a request nor a key, or both.
    KEY_NEEDED = "PKI_KEY_NEEDED", Invalid,
        en "A request or a public key is needed, one of them." => "Send csr (PEM) or publicKey (PEM).",
        pt "É necessário um pedido ou uma chave pública, um dos dois." => "Envie csr (PEM) ou publicKey (PEM).";
    /// A key that is not accepted.
    KEY = "PKI_KEY_REFUSED", Invalid,
        en "The key is not accepted: {reason}." => "Make a new key: P-256 is a good choice.",
        pt "A chave não é aceite: {reason}." => "Crie uma nova chave: P-256 é uma boa escolha.";
    /// A key that is barred for ever.
    KEY_BARRED = "PKI_KEY_BARRED", Conflict,
        en "This key is barred: it was compromised, or belongs to an authority." => "Make a new key; this one is never certified again.",
        pt "Esta chave está barrada: foi comprometida, ou é de uma autoridade." => "Crie uma nova chave; esta nunca mais será certificada.";
    /// A key that somebody else uses.
    KEY_TAKEN = "PKI_KEY_TAKEN", Conflict,
        en "This key is in a certificate of other names that somebody else asked for." => "Make a new key; one key serves one owner.",
        pt "Esta chave está num certificado com outros nomes, pedido por outra pessoa." => "Crie uma nova chave; uma chave serve um só dono.";
    /// The clock ran back.
    CLOCK_BACK = "PKI_CLOCK_BACK", Unavailable,
        en "The clock says {now}, and the newest certificate is of {newest}; nothing is issued until the clock is right." => "Set the clock. If the newest certificate was made while the clock was ahead, revoke it.",
        pt "O relógio indica {now}, e o certificado mais recente é de {newest}; nada é emitido até o relógio estar certo." => "Acerte o relógio. Se o certificado mais recente foi feito com o relógio adiantado, revogue-o.";
    /// A lifetime that the profile or the issuer does not allow.
    LIFETIME = "PKI_LIFETIME", Invalid,
        en "The lifetime is not possible: {reason}." => "Ask for a shorter one.",
        pt "A duração não é possível: {reason}." => "Peça uma duração menor.";
    /// A certificate that the profile's rules refuse.
    DRAFT = "PKI_PROFILE_RULE", Invalid,
        en "The certificate would break a rule of its profile: {reason}." => "Change what is asked for.",
        pt "O certificado violaria uma regra do seu perfil: {reason}." => "Altere o que é pedido.";
    /// A profile whose extended key usage is the organisation's own, of which the house knows none.
    USAGE_ARC = "PKI_USAGE_ARC_NEEDED", Conflict,
        en "Certificates of the profile {profile} need an extended key usage of the organisation's own." => "Let the operator set pki.usage_arc to an arc of the organisation.",
        pt "Os certificados do perfil {profile} precisam de uma utilização de chave da própria organização." => "Peça ao operador que defina pki.usage_arc com um arco da organização.";
    /// A finding of the lint.
    LINT = "PKI_LINT", Invalid,
        en "The lint refuses the certificate: {rule}." => "Nothing was signed. Change what is asked for.",
        pt "A verificação recusa o certificado: {rule}." => "Nada foi assinado. Altere o que é pedido.";
    /// An owner's text.
    OWNER = "PKI_OWNER_INVALID", Invalid,
        en "An owner has at most {limit} characters and no control characters." => "Shorten it.",
        pt "Um responsável tem no máximo {limit} caracteres e nenhum carácter de controlo." => "Encurte-o.";
    /// Revoked is final.
    REVOKED = "PKI_CERTIFICATE_REVOKED", Conflict,
        en "The certificate is revoked, and revoked is final." => "Issue a new one.",
        pt "O certificado está revogado, e a revogação é definitiva." => "Emita um novo.";
    /// A certificate in a state that does not allow it.
    STATE = "PKI_CERTIFICATE_STATE", Conflict,
        en "The certificate is {state}; it cannot be revoked." => "Look at it again in a moment.",
        pt "O certificado está no estado {state}; não pode ser revogado." => "Consulte-o de novo dentro de momentos.";
    /// An authority's certificate is not revoked by this verb.
    OF_AUTHORITY = "PKI_CERTIFICATE_OF_AUTHORITY", Conflict,
        en "This is the certificate of an authority." => "The root signs the revocation of an issuing authority, in a ceremony.",
        pt "Este é o certificado de uma autoridade." => "A raiz assina a revogação de uma autoridade emissora, numa cerimónia.";
    /// A reason that is none.
    REASON = "PKI_REASON_UNKNOWN", Invalid,
        en "{reason} is no reason for a revocation." => "Choose one of: {known}.",
        pt "{reason} não é um motivo de revogação." => "Escolha um de: {known}.";
    /// A moment that cannot be.
    MOMENT = "PKI_TIME_INVALID", Invalid,
        en "This is no moment of RFC 3339 that can be meant here." => "Write it as 2026-07-31T12:00:00Z.",
        pt "Isto não é um momento RFC 3339 possível aqui." => "Escreva-o como 2026-07-31T12:00:00Z.";
    /// A filter that does not exist.
    FILTER = "PKI_FILTER_UNKNOWN", Invalid,
        en "{value} is not known here." => "Choose one of: {known}.",
        pt "{value} não é conhecido aqui." => "Escolha um de: {known}.";
    /// What a key signed does not verify.
    SIGNED_WRONG = "PKI_SIGNED_WRONG", Internal,
        en "What the authority's key signed does not verify; it was thrown away." => "Look at the token and at the log of the house.",
        pt "O que a chave da autoridade assinou não é válido; foi deitado fora." => "Verifique o dispositivo e o registo da casa.";
    /// Another process is making the responder's certificate.
    RESPONDER = "PKI_RESPONDER_AWAY", Unavailable,
        en "The OCSP responder has no certificate at this moment." => "Try again.",
        pt "O serviço OCSP não tem certificado neste momento." => "Tente de novo.";
    /// A setting that cannot be read.
    SETTING = "PKI_SETTING", Invalid,
        en "{value} cannot be used here: {reason}." => "Correct the setting.",
        pt "{value} não pode ser usado aqui: {reason}." => "Corrija a definição.";
    /// The authority was replaced while a certificate was being decided.
    AUTHORITY_CHANGED = "PKI_AUTHORITY_CHANGED", Unavailable,
        en "The issuing authority was replaced at this moment." => "Try again.",
        pt "A autoridade emissora foi substituída neste momento." => "Tente de novo.";
    /// No authority of that id.
    AUTHORITY_UNKNOWN = "PKI_AUTHORITY_UNKNOWN", NotFound,
        en "There is no authority {id} here that this could be done to." => "Copy the id of an issuing authority: selo pki authorities",
        pt "Não existe aqui a autoridade {id} para este efeito." => "Copie o identificador de uma autoridade emissora: selo pki authorities";
    /// No root to ask.
    ROOT_NONE = "PKI_ROOT_NOT_FOUND", NotFound,
        en "There is no root here that could be asked." => "Make a hierarchy first: selo pki init",
        pt "Não existe aqui nenhuma raiz a quem pedir." => "Crie primeiro uma hierarquia: selo pki init";
    /// An order to a root that asks for nothing, or for what cannot be.
    ROOT_ORDER = "PKI_ROOT_ORDER_INVALID", Invalid,
        en "The root cannot be asked for this: {reason}." => "Nothing was planned. Change what is asked for.",
        pt "Isto não pode ser pedido à raiz: {reason}." => "Nada foi planeado. Altere o que é pedido.";
    /// A root has one open request at a time.
    REQUEST_OPEN = "PKI_ROOT_REQUEST_OPEN", Conflict,
        en "The root has an open request already." => "Sign it and take it in (selo pki root accept), or give it up (selo pki root abandon).",
        pt "A raiz já tem um pedido em aberto." => "Assine-o e receba-o (selo pki root accept), ou desista dele (selo pki root abandon).";
    /// A request that is over, or is none of this house.
    REQUEST_GONE = "PKI_ROOT_REQUEST_GONE", Conflict,
        en "This request to the root is not open here." => "Look at the open ones: selo pki root requests",
        pt "Este pedido à raiz não está em aberto aqui." => "Consulte os abertos: selo pki root requests";
    /// A file of the exchange that cannot be read.
    EXCHANGE = "PKI_EXCHANGE_UNREADABLE", Malformed,
        en "The file is no request to a root and no answer of one: {reason}." => "Take the file that the other side wrote, unchanged.",
        pt "O ficheiro não é um pedido a uma raiz nem uma resposta dela: {reason}." => "Use o ficheiro que o outro lado escreveu, sem alterações.";
    /// What a root does not sign.
    WOULD_NOT_SIGN = "PKI_ROOT_WOULD_NOT_SIGN", Invalid,
        en "A root does not sign this: {reason}." => "Nothing was signed. Ask whoever wrote the request.",
        pt "Uma raiz não assina isto: {reason}." => "Nada foi assinado. Pergunte a quem escreveu o pedido.";
    /// The key of another root.
    ROOT_KEY_OTHER = "PKI_ROOT_KEY_OTHER", Invalid,
        en "These shares give the key of another root." => "Take the shares of the root that the request names.",
        pt "Estas partes dão a chave de outra raiz." => "Use as partes da raiz indicada no pedido.";
    /// Many certificates are meant, and it is not clear which.
    SELECTION = "PKI_SELECTION_INVALID", Invalid,
        en "It is not clear which certificates are meant." => "Name one of: an authority, the SHA-256 of a key, a list of serial numbers.",
        pt "Não é claro de que certificados se trata." => "Indique um de: uma autoridade, o SHA-256 de uma chave, uma lista de números de série.";
    /// More certificates than one batch takes.
    REVOCATIONS_MANY = "PKI_REVOCATIONS_TOO_MANY", Invalid,
        en "A batch names at most {limit} certificates." => "Send several batches.",
        pt "Um lote indica no máximo {limit} certificados." => "Envie vários lotes.";
}
