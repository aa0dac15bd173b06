//! What can go wrong when a certificate is kept new.

base::codes! {
    /// The agent's file cannot be read as what it should be.
    CONFIG = "AGENT_CONFIG_INVALID", Malformed,
        en "The agent's file {file} is not right: {reason}." => "Mend the file; nothing was done.",
        pt "O ficheiro do agente {file} não está correto: {reason}." => "Corrija o ficheiro; nada foi feito.";
    /// The agent's own files cannot be read or written.
    STATE = "AGENT_STATE_BROKEN", Unavailable,
        en "{file} cannot be used: {reason}." => "The agent needs its folder of state for itself; look at owner, mode and room.",
        pt "{file} não pode ser usado: {reason}." => "O agente precisa da sua pasta de estado só para si; veja o dono, as permissões e o espaço.";
    /// The authority did not give a certificate.
    AUTHORITY = "AGENT_AUTHORITY_REFUSED", Unavailable,
        en "The authority gave no certificate: {reason}." => "The old one stays in service; the agent tries again.",
        pt "A autoridade não deu um certificado: {reason}." => "O antigo continua em serviço; o agente tenta de novo.";
    /// Control of a name could not be shown.
    CHALLENGE = "AGENT_CHALLENGE_FAILED", Unavailable,
        en "Control of {name} could not be shown: {reason}." => "Look at [challenge] in the agent's file, and at what reaches this machine.",
        pt "Não foi possível mostrar o controlo de {name}: {reason}." => "Veja [challenge] no ficheiro do agente, e o que chega a esta máquina.";
    /// What the authority sent is not what was ordered.
    CHAIN = "AGENT_CHAIN_REFUSED", Conflict,
        en "The certificate that came is not installed: {reason}." => "The old one stays in service; ask whoever runs the authority.",
        pt "O certificado recebido não foi instalado: {reason}." => "O antigo continua em serviço; pergunte a quem gere a autoridade.";
    /// The service did not take the new files.
    RELOAD = "AGENT_RELOAD_FAILED", Unavailable,
        en "The service did not take the new certificate: {reason}." => "The old files are back; look at `reload` and at the service's own log.",
        pt "O serviço não aceitou o novo certificado: {reason}." => "Os ficheiros antigos foram repostos; veja `reload` e o registo do próprio serviço.";
    /// The service shows another certificate than the installed one.
    SERVED = "AGENT_OTHER_CERTIFICATE_SERVED", Conflict,
        en "{place} does not show the installed certificate: {reason}." => "Look at `probe`, `files` and `reload`, and at what the service was told to read.",
        pt "{place} não mostra o certificado instalado: {reason}." => "Veja `probe`, `files` e `reload`, e o que o serviço deve ler.";
}
