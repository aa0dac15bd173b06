//! What can go wrong in the store: stable codes with their texts, and the one place where a driver's error becomes one.
//!
//! A driver's message is kept for the log only, and without the part that quotes values: PostgreSQL's `DETAIL` would
//! show a person's data. Never here: a decision what to do about it; that is the writer's and the workers'.

use std::fmt;

use base::Error;

use crate::engine::Engine;

base::codes! {
    /// `one` found no row.
    STORE_ROW_MISSING = "STORE_ROW_MISSING", NotFound,
        en "There is no such record." => "Check the id; it may have been removed.",
        pt "Esse registo não existe." => "Confirme o identificador; pode ter sido removido.";
    /// A statement gave more rows than the caller said, or than `ROWS_MAX`.
    STORE_ROWS_SURPLUS = "STORE_ROWS_SURPLUS", Internal,
        en "The database gave more rows than were asked for." => "Give the request id to the operator.",
        pt "A base de dados devolveu mais linhas do que as pedidas." => "Indique o identificador do pedido ao operador.";
    /// A unique key exists already.
    STORE_UNIQUE = "STORE_UNIQUE", Conflict,
        en "Such a record exists already." => "Use the existing one or choose another key.",
        pt "Esse registo já existe." => "Use o existente ou escolha outra chave.";
    /// A foreign key, check or not-null rule of the schema was broken.
    STORE_CONSTRAINT = "STORE_CONSTRAINT", Conflict,
        en "The change would break a rule of the database." => "Read the record again and repeat the change.",
        pt "A alteração violaria uma regra da base de dados." => "Leia o registo de novo e repita a alteração.";
    /// PostgreSQL's row-level security, or a grant, refused; on SQLite the debug check did.
    STORE_OTHER_TENANT = "STORE_OTHER_TENANT", Internal,
        en "A statement left its tenant." => "Give the request id to the operator.",
        pt "Uma instrução saiu do seu inquilino." => "Indique o identificador do pedido ao operador.";
    /// Concurrent changes, more often than we retry.
    STORE_CONFLICT = "STORE_CONFLICT", Unavailable,
        en "Others changed the same records at the same time." => "Try again.",
        pt "Outros alteraram os mesmos registos ao mesmo tempo." => "Tente de novo.";
    /// The closure or a statement took longer than its limit.
    STORE_TIMEOUT = "STORE_TIMEOUT", Unavailable,
        en "The database took too long; nothing was changed." => "Try again; if it stays, ask for less at once.",
        pt "A base de dados demorou demasiado; nada foi alterado." => "Tente de novo; se persistir, peça menos de cada vez.";
    /// The queue before the database is full.
    STORE_BUSY = "STORE_BUSY", Unavailable,
        en "The database has too much to do." => "Try again in a moment.",
        pt "A base de dados está sobrecarregada." => "Tente de novo dentro de momentos.";
    /// The server cannot be reached.
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE", Unavailable,
        en "The database cannot be reached; nothing was changed." => "Try again in a moment.",
        pt "Não é possível contactar a base de dados; nada foi alterado." => "Tente de novo dentro de momentos.";
    /// The line broke during a commit and its outcome could not be found out.
    STORE_COMMIT_IN_DOUBT = "STORE_COMMIT_IN_DOUBT", Unavailable,
        en "The line to the database broke during the commit; it is not known whether the change was made." => "Look whether the change is there before repeating it.",
        pt "A ligação à base de dados caiu durante a confirmação; não se sabe se a alteração foi feita." => "Verifique se a alteração existe antes de a repetir.";
    /// No room on the disk.
    STORE_DISK_FULL = "STORE_DISK_FULL", Full,
        en "The disk of the database is full; nothing was changed." => "Free space, or release the reserve, then try again.",
        pt "O disco da base de dados está cheio; nada foi alterado." => "Liberte espaço, ou a reserva, e tente de novo.";
    /// Reading or writing the disk failed.
    STORE_IO = "STORE_IO", Internal,
        en "Reading or writing the database's disk failed." => "Look at the disk's health and the system log.",
        pt "A leitura ou escrita do disco da base de dados falhou." => "Verifique o estado do disco e o registo do sistema.";
    /// A sync to disk failed once; only a restart recovers what is really there.
    STORE_POISONED = "STORE_POISONED", Unavailable,
        en "A sync to disk failed; the process must end and start again." => "Restart; if it stays, replace the disk.",
        pt "Uma sincronização com o disco falhou; o processo tem de terminar e recomeçar." => "Reinicie; se persistir, substitua o disco.";
    /// The file is not a database or is damaged.
    STORE_CORRUPT = "STORE_CORRUPT", Internal,
        en "The database file is damaged." => "Restore the last backup; keep the damaged file.",
        pt "O ficheiro da base de dados está danificado." => "Reponha a última cópia de segurança; guarde o ficheiro danificado.";
    /// The store is closing or closed.
    STORE_CLOSED = "STORE_CLOSED", Unavailable,
        en "The database is closing." => "Try again when the house has started again.",
        pt "A base de dados está a fechar." => "Tente de novo quando o serviço tiver reiniciado.";
    /// A closure panicked; only its own work was undone.
    STORE_PANIC = "STORE_PANIC", Internal,
        en "Something broke while the database worked; nothing was changed." => "Give the request id to the operator.",
        pt "Algo falhou durante o trabalho na base de dados; nada foi alterado." => "Indique o identificador do pedido ao operador.";
    /// A column holds something else than the code expects.
    STORE_TYPE = "STORE_TYPE", Internal,
        en "Column {column} holds {found}, not {wanted}." => "Give the request id to the operator.",
        pt "A coluna {column} contém {found}, não {wanted}." => "Indique o identificador do pedido ao operador.";
    /// A statement that the engine refuses.
    STORE_STATEMENT = "STORE_STATEMENT", Internal,
        en "The database refused the statement {statement}." => "Give the request id to the operator.",
        pt "A base de dados recusou a instrução {statement}." => "Indique o identificador do pedido ao operador.";
    /// The settings of the store make no sense.
    STORE_SETTINGS = "STORE_SETTINGS", Invalid,
        en "The store cannot be opened so: {reason}." => "Mend the setting and start again.",
        pt "A base de dados não pode ser aberta assim: {reason}." => "Corrija a configuração e recomece.";
    /// The home was written by a newer program.
    STORE_NEWER = "STORE_NEWER", Conflict,
        en "The data was written by a newer version: migration {migration} is not known here." => "Start the newer version.",
        pt "Os dados foram escritos por uma versão mais recente: a migração {migration} é aqui desconhecida." => "Inicie a versão mais recente.";
    /// The home was not migrated yet.
    STORE_OLDER = "STORE_OLDER", Conflict,
        en "Migration {migration} has not been applied." => "Run the migrations first.",
        pt "A migração {migration} ainda não foi aplicada." => "Execute primeiro as migrações.";
    /// A migration's text is not the one that was applied.
    STORE_MIGRATION_CHANGED = "STORE_MIGRATION_CHANGED", Internal,
        en "Migration {migration} is not the text that was applied." => "Use the unchanged program; a migration is never edited, only followed by another.",
        pt "A migração {migration} não é o texto que foi aplicado." => "Use o programa inalterado; uma migração nunca se edita, segue-se-lhe outra.";
    /// A lease has passed to somebody else.
    STORE_LEASE_LOST = "STORE_LEASE_LOST", Conflict,
        en "Another process has taken over {lease}." => "Nothing to do; the other process goes on.",
        pt "Outro processo assumiu {lease}." => "Nada a fazer; o outro processo continua.";
    /// A blob that is not there.
    STORE_BLOB_MISSING = "STORE_BLOB_MISSING", NotFound,
        en "There is no such file." => "Check the address; it may have been removed.",
        pt "Esse ficheiro não existe." => "Confirme o endereço; pode ter sido removido.";
    /// A blob larger than allowed.
    STORE_BLOB_TOO_LARGE = "STORE_BLOB_TOO_LARGE", TooLarge,
        en "The file is larger than {limit} bytes." => "Send a smaller file.",
        pt "O ficheiro tem mais de {limit} bytes." => "Envie um ficheiro mais pequeno.";
    /// A blob's key is not of the allowed form.
    STORE_BLOB_KEY = "STORE_BLOB_KEY", Invalid,
        en "This is not a key for a file." => "Use lower-case letters, digits, dots, dashes and slashes.",
        pt "Isto não é uma chave de ficheiro." => "Use letras minúsculas, algarismos, pontos, hífenes e barras.";
}

#[cfg(feature = "fault-injection")]
base::codes! {
    /// A torture test made this call fail.
    STORE_FAULT_INJECTED = "STORE_FAULT_INJECTED", Unavailable,
        en "A test made this call fail." => "Nothing; it is a test.",
        pt "Um teste fez esta chamada falhar." => "Nada; é um teste.";
}

/// Seconds after which a caller may try again when the database was away or busy.
pub(crate) const RETRY_AFTER_SECONDS: u32 = 2;

/// What a driver said, for the log: engine, its own code, its message without values, and the statement's name.
#[derive(Debug)]
pub struct Fault {
    /// Which engine.
    pub engine: Engine,
    /// SQLite's extended result code or PostgreSQL's SQLSTATE.
    pub code: String,
    /// The driver's sentence.
    pub message: String,
    /// The statement's name.
    pub statement: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}: {}", self.engine, self.code, self.statement, self.message)
    }
}
impl std::error::Error for Fault {}

/// Whether a unique key was there already. Inside a closure the transaction is lost all the same: prefer `on conflict`.
pub fn is_unique_violation(error: &Error) -> bool {
    error.is(&STORE_UNIQUE)
}

/// Whether the disk, not the statement, is at fault; then the whole group fails.
pub(crate) fn is_of_the_disk(error: &Error) -> bool {
    error.is(&STORE_DISK_FULL) || error.is(&STORE_IO) || error.is(&STORE_CORRUPT)
}
