//! What can go wrong with who is who.

base::codes! {
    /// No such tenant, or not one of the caller's.
    TENANT_NOT_FOUND = "TENANT_NOT_FOUND", NotFound,
        en "There is no such tenant." => "Look at the list of tenants.",
        pt "Não existe essa entidade." => "Consulte a lista de entidades.";
    /// The house has several tenants and the call names none.
    TENANT_NEEDED = "TENANT_NEEDED", Malformed,
        en "This house has several tenants and the call names none." => "Add tenant=ten_… to the address.",
        pt "Esta casa tem várias entidades e o pedido não indica nenhuma." => "Acrescente tenant=ten_… ao endereço.";
    /// A tenant without a name.
    TENANT_NAME = "TENANT_NAME_INVALID", Invalid,
        en "A tenant's name has 1 to 200 characters." => "Give the institution's full name.",
        pt "O nome de uma entidade tem de 1 a 200 caracteres." => "Indique o nome completo da instituição.";
    /// No such person.
    PERSON_NOT_FOUND = "PERSON_NOT_FOUND", NotFound,
        en "There is no such person." => "Copy the person's id from a credential.",
        pt "Não existe essa pessoa." => "Copie o identificador da pessoa a partir de uma credencial.";
    /// The one-time link is used, expired or not ours.
    ONCE_INVALID = "ONE_TIME_LINK_INVALID", Unauthenticated,
        en "This one-time link does not work (any more)." => "Ask for a new one on the machine of the house: selo admin link.",
        pt "Esta ligação de utilização única não funciona (ou já não funciona)." => "Peça uma nova na máquina da casa: selo admin link.";
    /// The one-time link is for the machine of the house only.
    ONCE_LOOPBACK = "ONE_TIME_LINK_LOOPBACK", Forbidden,
        en "The one-time link works only on the machine of the house." => "Open it in a browser on that machine, or through a tunnel that ends there.",
        pt "A ligação de utilização única só funciona na máquina da casa." => "Abra-a num navegador nessa máquina, ou por um túnel que termine nela.";
    /// A role that the table does not have.
    ROLE_UNKNOWN = "ROLE_UNKNOWN", Invalid,
        en "There is no role {role}." => "The roles are {roles}.",
        pt "Não existe o papel {role}." => "Os papéis são {roles}.";
    /// No such account.
    ACCOUNT_NOT_FOUND = "ACCOUNT_NOT_FOUND", NotFound,
        en "There is no such account." => "Look at the list of accounts: selo account list",
        pt "Não existe essa conta." => "Consulte a lista de contas: selo account list";
    /// A name that is no account's.
    ACCOUNT_NAME = "ACCOUNT_NAME_INVALID", Invalid,
        en "An account's name has 1 to {limit} lower-case letters, digits, hyphens and dots." => "Name the partner and its environment, e.g. bank-a.prod.",
        pt "O nome de uma conta tem de 1 a {limit} letras minúsculas, algarismos, hífenes e pontos." => "Indique o parceiro e o ambiente, p. ex. bank-a.prod.";
    /// An account of the tenant has the name, or had it.
    ACCOUNT_TAKEN = "ACCOUNT_NAME_TAKEN", Conflict,
        en "The tenant has, or had, an account {name}." => "Choose another name; a closed account keeps its own.",
        pt "A entidade tem, ou teve, uma conta {name}." => "Escolha outro nome; uma conta encerrada mantém o seu.";
    /// A permission that an account cannot have.
    ACCOUNT_PERMISSION = "ACCOUNT_PERMISSION_INVALID", Invalid,
        en "{permission} is no permission of an account." => "These are: {known}.",
        pt "{permission} não é uma permissão de contas." => "São estas: {known}.";
    /// A network that is none.
    ACCOUNT_NETWORK = "ACCOUNT_NETWORK_INVALID", Invalid,
        en "{network} is no address and no network, or there are more than {limit}." => "Write 192.0.2.7 or 192.0.2.0/24.",
        pt "{network} não é um endereço nem uma rede, ou há mais de {limit}." => "Escreva 192.0.2.7 ou 192.0.2.0/24.";
    /// A certificate enters as one account only.
    ACCOUNT_CERTIFICATE = "ACCOUNT_CERTIFICATE_TAKEN", Conflict,
        en "This certificate is an account's already." => "Issue another one for this account.",
        pt "Este certificado já é de uma conta." => "Emita outro para esta conta.";
    /// No such API key.
    API_KEY_NOT_FOUND = "API_KEY_NOT_FOUND", NotFound,
        en "There is no such API key." => "Look at the list of API keys.",
        pt "Não existe essa chave de API." => "Consulte a lista de chaves de API.";
}
