//! What can go wrong with a home and with the command line.

base::codes! {
    /// A command line that nobody understands.
    USAGE = "USAGE_INVALID", Malformed,
        en "The command line cannot be understood: {reason}." => "selo --help lists the commands, selo COMMAND --help what each takes.",
        pt "A linha de comando não se compreende: {reason}." => "selo --help enumera os comandos, selo COMANDO --help o que cada um recebe.";
    /// There is no house in this folder.
    HOME_MISSING = "HOME_NOT_FOUND", NotFound,
        en "There is no house in {home}." => "Make one: selo --home {home} init",
        pt "Não há nenhuma casa em {home}." => "Crie uma: selo --home {home} init";
    /// There is a house in this folder already.
    HOME_EXISTS = "HOME_EXISTS", Conflict,
        en "There is a house in {home} already." => "Choose another folder with --home, or use this house: selo --home {home} serve",
        pt "Já há uma casa em {home}." => "Escolha outra pasta com --home, ou use esta casa: selo --home {home} serve";
    /// Another process is the house.
    HOME_BUSY = "HOME_BUSY", Conflict,
        en "Another process serves the house in {home}." => "Use that one; every command of the command line talks to it. To stop it, send it SIGTERM.",
        pt "Outro processo serve a casa em {home}." => "Use esse; todos os comandos falam com ele. Para o parar, envie-lhe SIGTERM.";
    /// The home was written by a program that we do not understand.
    HOME_NEWER = "HOME_NEWER", Conflict,
        en "The house in {home} was written by a newer version of Selo (format {found}, this program knows {known})." => "Use that version or a newer one; nothing was changed.",
        pt "A casa em {home} foi escrita por uma versão mais recente do Selo (formato {found}, este programa conhece {known})." => "Use essa versão ou uma mais recente; nada foi alterado.";
    /// A file of the home cannot be read or written.
    HOME_FILE = "HOME_FILE", Internal,
        en "{file} cannot be read or written ({reason})." => "Look at its owner, its rights and the free space of the disk.",
        pt "{file} não pode ser lido ou escrito ({reason})." => "Verifique o dono, as permissões e o espaço livre no disco.";
    /// An address that is no public address.
    PUBLIC_URL = "PUBLIC_URL_INVALID", Malformed,
        en "{url} is no public address." => "Give an address like https://selo.example.org, without a path.",
        pt "{url} não é um endereço público." => "Indique um endereço como https://selo.example.org, sem caminho.";
    /// A file that the command line was given.
    FILE = "FILE_UNREADABLE", Malformed,
        en "{file} cannot be read ({reason})." => "Check its name and its rights.",
        pt "{file} não pode ser lido ({reason})." => "Verifique o nome e as permissões.";
    /// A file that the command line cannot write.
    OUTPUT = "FILE_UNWRITABLE", Malformed,
        en "{file} cannot be written ({reason})." => "Choose another place.",
        pt "{file} não pode ser escrito ({reason})." => "Escolha outro lugar.";
    /// A ceremony's order that cannot be read.
    CEREMONY_FILE = "CEREMONY_FILE_INVALID", Malformed,
        en "{file} is no order of a ceremony: {reason}." => "The words are environment, organisation, country, place, operators, witnesses, root_name, issuing_name, permitted_dns, permitted_ip, threshold, shares, service_names, dry_run and successor.",
        pt "{file} não é uma ordem de cerimónia: {reason}." => "As palavras são environment, organisation, country, place, operators, witnesses, root_name, issuing_name, permitted_dns, permitted_ip, threshold, shares, service_names, dry_run e successor.";
    /// A trust list that is not of its form.
    TRUST_FILE = "TRUST_LIST_INVALID", Malformed,
        en "{file} is no trust list." => "Write {\"issuers\":[{\"id\":\"did:…\",\"name\":\"…\"}]}.",
        pt "{file} não é uma lista de confiança." => "Escreva {\"issuers\":[{\"id\":\"did:…\",\"name\":\"…\"}]}.";
    /// A certificate of the house's own that is there and that nobody is shown.
    OWN_UNUSED = "OWN_CERTIFICATE_UNUSED", Internal,
        en "The new certificate for {service} is not what the server is shown." => "Let PostgreSQL ask for certificates (ssl_ca_file, and cert or clientcert=verify-full in pg_hba.conf).",
        pt "O novo certificado para {service} não é o que o servidor recebe." => "Faça o PostgreSQL pedir certificados (ssl_ca_file, e cert ou clientcert=verify-full em pg_hba.conf).";
    /// The machine's store belongs to its owner.
    TRUST_NOT_ROOT = "TRUST_NOT_ROOT", Forbidden,
        en "Only root may change whom this machine trusts." => "Run it with sudo, or for your browsers alone: selo trust install --browser",
        pt "Só o root pode alterar em quem esta máquina confia." => "Execute com sudo, ou apenas para os seus navegadores: selo trust install --browser";
    /// A tool of the operating system is not there.
    TRUST_TOOL_MISSING = "TRUST_TOOL_MISSING", Unavailable,
        en "The program {tool} is missing." => "Install the package {package}.",
        pt "Falta o programa {tool}." => "Instale o pacote {package}.";
    /// A tool of the operating system said no.
    TRUST_TOOL_FAILED = "TRUST_TOOL_FAILED", Internal,
        en "The store of trusted authorities could not be changed." => "Close the browser and try again.",
        pt "Não foi possível alterar o repositório de autoridades de confiança." => "Feche o navegador e tente de novo.";
    /// The house does not answer.
    HOUSE_SILENT = "HOUSE_UNREACHABLE", Unavailable,
        en "The house in {home} does not answer." => "Look at its log; if the process is gone, start it again: selo --home {home} serve",
        pt "A casa em {home} não responde." => "Consulte o registo; se o processo já não existe, inicie-o de novo: selo --home {home} serve";
    /// A release without the web front end.
    WEB_MISSING = "WEB_NOT_BUILT", Internal,
        en "This program was built without the web front end." => "Build it first: npm ci && npm run build in web/, then build the program.",
        pt "Este programa foi construído sem a interface web." => "Construa-a primeiro: npm ci && npm run build em web/, e depois o programa.";
    /// Nobody was there to agree, or whoever was did not.
    NOT_AGREED = "NOT_AGREED", Invalid,
        en "Nobody agreed, so nothing was done." => "Run it in a terminal and answer yes, or give --yes after you have read what would be done.",
        pt "Ninguém concordou, por isso nada foi feito." => "Execute num terminal e responda sim, ou indique --yes depois de ler o que seria feito.";
}
