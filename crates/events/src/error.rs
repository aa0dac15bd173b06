//! What can go wrong with facts and jobs.

base::codes! {
    /// A fact whose payload is not what its type declares: a fault of ours.
    FACT_SHAPE = "FACT_SHAPE", Internal,
        en "The record of this act does not have its declared form ({field})." => "Give the request id to the operator; nothing was changed.",
        pt "O registo deste ato não tem a forma declarada ({field})." => "Indique o identificador do pedido ao operador; nada foi alterado.";
    /// A job that nobody knows.
    JOB_UNKNOWN = "JOB_NOT_FOUND", NotFound,
        en "There is no such job." => "Look at the list of jobs.",
        pt "Não existe esse trabalho." => "Consulte a lista de trabalhos.";
    /// A job ran out of time.
    JOB_DEADLINE = "JOB_DEADLINE", Unavailable,
        en "The job did not finish in the time it was given." => "Start it again; what is done is not done twice.",
        pt "O trabalho não terminou no prazo que lhe foi dado." => "Inicie-o de novo; o que está feito não se repete.";
    /// A job whose kind this process does not run.
    JOB_KIND = "JOB_KIND_UNKNOWN", Internal,
        en "This program does not know the job {kind}." => "Start a program of the version that made the job.",
        pt "Este programa não conhece o trabalho {kind}." => "Inicie um programa da versão que criou o trabalho.";
    /// A leaf that cannot be put back.
    LEAF_UNREADABLE = "LOG_LEAF_UNREADABLE", Conflict,
        en "Leaf {index} of the log cannot be put back: {reason}." => "Nothing after it was put back. Use the version of Selo that wrote the log, and its own mirror.",
        pt "A folha {index} do registo não pode ser reposta: {reason}." => "Nada depois dela foi reposto. Use a versão do Selo que escreveu o registo, e o seu próprio espelho.";
}
