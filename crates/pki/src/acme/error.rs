//! What can go wrong between a program and the ACME server. Each code has its type of RFC 8555 §6.7 in `problem.rs`.

base::codes! {
    /// A message that is none of RFC 8555.
    MALFORMED = "ACME_MALFORMED", Malformed,
        en "The request is not what ACME demands: {reason}." => "Mend the client; nothing was changed.",
        pt "O pedido não é o que o ACME exige: {reason}." => "Corrija o cliente; nada foi alterado.";
    /// Another media type.
    MEDIA = "ACME_MEDIA_TYPE", Unsupported,
        en "A request of ACME is application/jose+json." => "Send it with this content type.",
        pt "Um pedido ACME é application/jose+json." => "Envie-o com este tipo de conteúdo.";
    /// A nonce that is not ours, too old, or spent.
    NONCE = "ACME_NONCE", Malformed,
        en "The nonce is unknown, too old or was used." => "Send the request again with the nonce of this answer.",
        pt "O nonce é desconhecido, demasiado antigo ou já foi usado." => "Envie de novo com o nonce desta resposta.";
    /// An algorithm that is not accepted.
    ALGORITHM = "ACME_ALGORITHM", Malformed,
        en "The signature's algorithm is not accepted: {reason}." => "Use one of: {known}.",
        pt "O algoritmo da assinatura não é aceite: {reason}." => "Use um de: {known}.";
    /// An account's key that is not accepted.
    KEY = "ACME_KEY", Malformed,
        en "The account's key is not accepted: {reason}." => "Make a new account key: P-256 is a good choice.",
        pt "A chave da conta não é aceite: {reason}." => "Crie uma nova chave de conta: P-256 é uma boa escolha.";
    /// No such account.
    ACCOUNT_NONE = "ACME_ACCOUNT_NOT_FOUND", NotFound,
        en "There is no such account here." => "Register one: newAccount.",
        pt "Não existe aqui essa conta." => "Registe uma: newAccount.";
    /// An account that may do nothing any more.
    ACCOUNT_CLOSED = "ACME_ACCOUNT_CLOSED", Unauthenticated,
        en "The account is {state}." => "Register another one, with another key.",
        pt "A conta está no estado {state}." => "Registe outra, com outra chave.";
    /// A signature that does not hold.
    SIGNATURE = "ACME_SIGNATURE", Malformed,
        en "The signature does not hold by the account's key." => "Sign with the key of this account.",
        pt "A assinatura não é válida com a chave da conta." => "Assine com a chave desta conta.";
    /// Terms to be agreed to.
    TERMS = "ACME_TERMS", Forbidden,
        en "The terms of service are to be agreed to: {terms}" => "Read them, and register with termsOfServiceAgreed.",
        pt "É preciso aceitar os termos de serviço: {terms}" => "Leia-os e registe-se com termsOfServiceAgreed.";
    /// No external account binding where one is demanded.
    EXTERNAL_NEEDED = "ACME_EXTERNAL_KEY_NEEDED", Forbidden,
        en "An account needs an external key of this house." => "Ask the operator for one: selo pki eab new",
        pt "Uma conta precisa de uma chave externa desta casa." => "Peça uma ao operador: selo pki eab new";
    /// An external key that opens nothing.
    EXTERNAL_REFUSED = "ACME_EXTERNAL_KEY_REFUSED", Forbidden,
        en "The external key is unknown, used up, too old, revoked, or did not sign this." => "Ask the operator for another one: selo pki eab new",
        pt "A chave externa é desconhecida, esgotada, antiga, revogada, ou não assinou isto." => "Peça outra ao operador: selo pki eab new";
    /// A contact that cannot be used.
    CONTACT = "ACME_CONTACT", Malformed,
        en "A contact is not accepted: {reason}." => "Give mailto: with one address, or no contact.",
        pt "Um contacto não é aceite: {reason}." => "Indique mailto: com um endereço, ou nenhum contacto.";
    /// A contact of another scheme.
    CONTACT_SCHEME = "ACME_CONTACT_SCHEME", Malformed,
        en "A contact has another scheme than mailto." => "Give mailto: with one address, or no contact.",
        pt "Um contacto tem um esquema que não é mailto." => "Indique mailto: com um endereço, ou nenhum contacto.";
    /// A key that belongs to another account.
    KEY_TAKEN = "ACME_KEY_TAKEN", Conflict,
        en "The new key belongs to an account already." => "Make another key.",
        pt "A nova chave já pertence a uma conta." => "Crie outra chave.";
    /// An identifier of another kind.
    IDENTIFIER_KIND = "ACME_IDENTIFIER_KIND", Malformed,
        en "Identifiers of the type {kind} are not certified here." => "Order dns and ip identifiers.",
        pt "Identificadores do tipo {kind} não são aqui certificados." => "Peça identificadores dns e ip.";
    /// An identifier that cannot be certified.
    IDENTIFIER = "ACME_IDENTIFIER", Malformed,
        en "{name} cannot be certified: {reason}." => "Correct the name.",
        pt "{name} não pode ser certificado: {reason}." => "Corrija o nome.";
    /// Several identifiers that are refused.
    IDENTIFIERS = "ACME_IDENTIFIERS", Malformed,
        en "Some identifiers are refused." => "The subproblems say which, and why.",
        pt "Alguns identificadores são recusados." => "Os subproblemas dizem quais e porquê.";
    /// A profile that the account may not have.
    PROFILE = "ACME_PROFILE", Malformed,
        en "The profile {profile} is not offered to this account." => "Choose one of: {known}.",
        pt "O perfil {profile} não é oferecido a esta conta." => "Escolha um de: {known}.";
    /// A certificate that another one replaced.
    REPLACED = "ACME_ALREADY_REPLACED", Conflict,
        en "The certificate was replaced already." => "Order without replaces.",
        pt "O certificado já foi substituído." => "Peça sem replaces.";
    /// An order that cannot be finalized.
    NOT_READY = "ACME_ORDER_NOT_READY", Forbidden,
        en "The order is {state}; only one that is ready can be finalized." => "Look at the order and its authorizations.",
        pt "A encomenda está no estado {state}; só uma pronta pode ser concluída." => "Consulte a encomenda e as suas autorizações.";
    /// Two requests finalize one order.
    CLAIMED = "ACME_ORDER_CLAIMED", Unavailable,
        en "Another request finalizes this order." => "Look at the order again in a moment.",
        pt "Outro pedido está a concluir esta encomenda." => "Consulte-a de novo dentro de momentos.";
    /// A request whose names are not the order's.
    CSR_NAMES = "ACME_CSR_NAMES", Malformed,
        en "The certificate request does not name exactly what was ordered: {reason}." => "Make a request for exactly the ordered identifiers.",
        pt "O pedido de certificado não indica exatamente o que foi pedido: {reason}." => "Faça um pedido só com os identificadores pedidos.";
    /// The account's own key in a certificate.
    CSR_KEY = "ACME_CSR_KEY", Malformed,
        en "The key of an account is not certified." => "Make a key of its own for the certificate.",
        pt "A chave de uma conta não é certificada." => "Crie uma chave própria para o certificado.";
    /// What the holder of a name lets this authority do.
    CAA = "ACME_CAA", Forbidden,
        en "The CAA records of {name} do not let this authority certify it: {reason}." => "Let them name this authority, or wait until they can be read.",
        pt "Os registos CAA de {name} não deixam esta autoridade certificá-lo: {reason}." => "Faça-os indicar esta autoridade, ou espere até poderem ser lidos.";
    /// Nothing at this address, for this account.
    NOTHING = "ACME_NOT_FOUND", NotFound,
        en "There is nothing here for this account." => "Follow the addresses that the server gave.",
        pt "Não há aqui nada para esta conta." => "Siga os endereços que o servidor deu.";
    /// Issuing was given up.
    GIVEN_UP = "ACME_ISSUING_GIVEN_UP", Unavailable,
        en "The house stopped while it issued the certificate." => "Order it again.",
        pt "A casa parou enquanto emitia o certificado." => "Peça-o de novo.";
    /// A certificate that the asker may not revoke.
    REVOKE_FORBIDDEN = "ACME_REVOKE_FORBIDDEN", Forbidden,
        en "This certificate is not the asker's to revoke." => "Ask with the account that ordered it, or with its own key.",
        pt "Este certificado não é do requerente para revogar." => "Peça com a conta que o pediu, ou com a chave do certificado.";
    /// A reason that is none, or not for this asker.
    REVOKE_REASON = "ACME_REVOKE_REASON", Malformed,
        en "The reason {reason} is not accepted here." => "Give 0, 3, 4, 5 or 9; 1 from those who hold the certificate's key.",
        pt "O motivo {reason} não é aceite aqui." => "Indique 0, 3, 4, 5 ou 9; 1 por quem tem a chave do certificado.";
    /// More than the house lets one asker do.
    OFTEN = "ACME_TOO_OFTEN", TooMany,
        en "Too many of these from one asker: {setting}." => "Wait for the time that Retry-After names.",
        pt "Demasiados do mesmo requerente: {setting}." => "Espere o tempo que Retry-After indica.";
    /// No such external key.
    EXTERNAL_NONE = "ACME_EXTERNAL_KEY_NOT_FOUND", NotFound,
        en "There is no external key {id}." => "Copy the id from the list: selo pki eab list",
        pt "Não existe a chave externa {id}." => "Copie o identificador da lista: selo pki eab list";
    /// An external key that is revoked already.
    EXTERNAL_REVOKED = "ACME_EXTERNAL_KEY_REVOKED", Conflict,
        en "The external key is revoked." => "Make a new one: selo pki eab new",
        pt "A chave externa está revogada." => "Crie uma nova: selo pki eab new";
    /// What an external key is to allow.
    EXTERNAL_WRONG = "ACME_EXTERNAL_KEY_INVALID", Invalid,
        en "{value} cannot be used here: {reason}." => "Correct it.",
        pt "{value} não pode ser usado aqui: {reason}." => "Corrija-o.";
}
