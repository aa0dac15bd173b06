//! What can go wrong with the evidence log.

base::codes! {
    /// No log, tile or checkpoint of that name.
    LOG_NOT_FOUND = "LOG_NOT_FOUND", NotFound,
        en "There is no such log, tile or checkpoint." => "The logs are cred and audit; tiles follow C2SP tlog-tiles.",
        pt "Não existe esse registo, bloco ou ponto de controlo." => "Os registos são cred e audit; os blocos seguem C2SP tlog-tiles.";
    /// The fact is durable, and its checkpoint comes within two seconds.
    NOT_MERGED = "LOG_NOT_MERGED", Unavailable,
        en "This record is safe, but no signed checkpoint covers it yet." => "Ask again in a second.",
        pt "Este registo está seguro, mas ainda não há ponto de controlo assinado que o abranja." => "Pergunte de novo dentro de um segundo.";
    /// Nothing is recorded under that id.
    RECORD_NOT_FOUND = "LOG_RECORD_NOT_FOUND", NotFound,
        en "Nothing is recorded under {id}." => "Give the id of a credential (cred_…) or of a fact (evt_…).",
        pt "Nada está registado sob {id}." => "Indique o identificador de uma credencial (cred_…) ou de um facto (evt_…).";
    /// The proof file is not of its form.
    PROOF_UNREADABLE = "LOG_PROOF_UNREADABLE", Malformed,
        en "This is not a proof of the form c2sp.org/tlog-proof@v1: {reason}." => "Make one with selo log prove ID --out FILE.",
        pt "Isto não é uma prova da forma c2sp.org/tlog-proof@v1: {reason}." => "Crie uma com selo log prove ID --out FICHEIRO.";
    /// The proof does not prove what it says.
    PROOF_WRONG = "LOG_PROOF_WRONG", Conflict,
        en "The proof does not hold: {reason}." => "Do not rely on it; ask the issuer for a new one and keep this file as evidence.",
        pt "A prova não se sustenta: {reason}." => "Não confie nela; peça uma nova ao emissor e guarde este ficheiro como prova.";
    /// A checkpoint would contradict one that was signed before.
    FORK = "LOG_WOULD_FORK", Internal,
        en "The log {log} has {found} leaves but a checkpoint of {signed} was signed before: the database was put back." => "Do not go on: restore the newest backup. Signing now would fork the log.",
        pt "O registo {log} tem {found} folhas, mas já foi assinado um ponto de controlo de {signed}: a base de dados foi reposta." => "Não continue: reponha a cópia mais recente. Assinar agora bifurcaria o registo.";
    /// A time that is not of RFC 3339.
    TIME = "TIME_INVALID", Malformed,
        en "This is no time of RFC 3339." => "Write it like 2026-07-31T12:00:00Z.",
        pt "Isto não é um instante da RFC 3339." => "Escreva-o como 2026-07-31T12:00:00Z.";
    /// A mirror that cannot be used.
    MIRROR = "LOG_MIRROR_REFUSED", Conflict,
        en "The mirror of the log {log} cannot be used: {reason}." => "Nothing was put back. Take another mirror; one that was tampered with is evidence, keep it.",
        pt "O espelho do registo {log} não pode ser usado: {reason}." => "Nada foi reposto. Use outro espelho; um que foi alterado é prova, guarde-o.";
    /// The house's log is shorter than a checkpoint that it signed once.
    BEHIND = "LOG_BEHIND", Conflict,
        en "The log {log} has {found} leaves here, and {signed} in a checkpoint that it signed: this is an earlier state." => "Put back what is missing before the house opens: selo pki replay --log DIR",
        pt "O registo {log} tem aqui {found} folhas, e {signed} num ponto de controlo que assinou: este é um estado anterior." => "Reponha o que falta antes de a casa abrir: selo pki replay --log DIR";
}
