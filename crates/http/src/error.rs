//! The codes of the door, and [`Failure`]: how a handler says no.
//!
//! A failure travels as an extension of the response; the door renders it once, in the caller's language and in the
//! shape that was asked for. Never here: a shape.

use axum::response::{IntoResponse, Response};
use base::{Error, error::Kind};

base::codes! {
    /// No such address, or one that the asker may not know of.
    NOT_FOUND = "NOT_FOUND", NotFound,
        en "There is nothing here." => "Check the address.",
        pt "Não há nada aqui." => "Verifique o endereço.";
    /// The address exists, the method does not.
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED", Malformed,
        en "This address does not take that method." => "Use one of the methods in the Allow header.",
        pt "Este endereço não aceita esse método." => "Use um dos métodos do cabeçalho Allow.";
    /// The request cannot be understood.
    MALFORMED_REQUEST = "MALFORMED_REQUEST", Malformed,
        en "The request cannot be understood." => "Compare it with the API reference.",
        pt "O pedido não pode ser compreendido." => "Compare-o com a referência da API.";
    /// The body is longer than this address takes.
    BODY_TOO_LARGE = "BODY_TOO_LARGE", TooLarge,
        en "The request is larger than {limit} bytes." => "Send less at once.",
        pt "O pedido tem mais de {limit} bytes." => "Envie menos de cada vez.";
    /// The body's media type is not the one this address takes.
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE", Unsupported,
        en "This address does not read that media type." => "Send {expected}.",
        pt "Este endereço não lê esse tipo de conteúdo." => "Envie {expected}.";
    /// Whoever asks could not be recognised; says nothing about why.
    UNAUTHENTICATED = "UNAUTHENTICATED", Unauthenticated,
        en "We do not know who is asking." => "Sign in, or send a valid API key.",
        pt "Não sabemos quem está a pedir." => "Inicie sessão ou envie uma chave de API válida.";
    /// The asker is known and may not.
    FORBIDDEN = "FORBIDDEN", Forbidden,
        en "You may not do this; it needs {permission}." => "Ask an administrator for the permission.",
        pt "Não pode fazer isto; requer {permission}." => "Peça a permissão a um administrador.";
    /// A page of another site tried to act with this browser's session.
    CROSS_ORIGIN = "CROSS_ORIGIN", Forbidden,
        en "The request came from another site." => "Repeat it from the page of this house.",
        pt "O pedido veio de outro sítio." => "Repita-o a partir da página desta casa.";
    /// Too many requests from one address.
    RATE_LIMITED = "RATE_LIMITED", TooMany,
        en "Too many requests from your address." => "Wait {seconds} seconds and try again.",
        pt "Demasiados pedidos a partir do seu endereço." => "Espere {seconds} segundos e tente de novo.";
    /// As many requests are in hand as the house takes.
    OVERLOADED = "OVERLOADED", Unavailable,
        en "The house is busy." => "Try again in a moment.",
        pt "A casa está ocupada." => "Tente de novo dentro de momentos.";
    /// The answer took longer than allowed. What was begun may still be completed.
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT", Unavailable,
        en "The answer took longer than {seconds} seconds." => "Look whether it was done, then try again.",
        pt "A resposta demorou mais de {seconds} segundos." => "Veja se foi feito e depois tente de novo.";
    /// Something the house needs is not ready.
    NOT_READY = "NOT_READY", Unavailable,
        en "The house is not ready: {checks}." => "Try again in a moment; the log says what is missing.",
        pt "A casa não está pronta: {checks}." => "Tente de novo dentro de momentos; o registo diz o que falta.";
    /// The body is no JSON.
    JSON_SYNTAX = "JSON_SYNTAX", Malformed,
        en "The body is not JSON (line {line}, column {column})." => "Mend the place that is named.",
        pt "O corpo não é JSON (linha {line}, coluna {column})." => "Corrija o local indicado.";
    /// Objects and arrays inside each other beyond the limit.
    JSON_TOO_DEEP = "JSON_TOO_DEEP", Malformed,
        en "The JSON is nested deeper than {limit} levels." => "Send a flatter document.",
        pt "O JSON tem mais de {limit} níveis." => "Envie um documento menos profundo.";
    /// One name twice in one object.
    JSON_DUPLICATE_KEY = "JSON_DUPLICATE_KEY", Malformed,
        en "A name stands twice in one object." => "Keep one of the two.",
        pt "Um nome aparece duas vezes num objeto." => "Mantenha apenas um dos dois.";
    /// A member that must be there is not.
    FIELD_MISSING = "FIELD_MISSING", Invalid,
        en "A field is missing." => "Add the field that is named.",
        pt "Falta um campo." => "Acrescente o campo indicado.";
    /// A member that nobody knows.
    FIELD_UNKNOWN = "FIELD_UNKNOWN", Invalid,
        en "There is no such field." => "Remove it or correct its name.",
        pt "Este campo não existe." => "Remova-o ou corrija o nome.";
    /// A member of another form.
    FIELD_WRONG = "FIELD_WRONG", Invalid,
        en "A field is not of the right form." => "Expected: {expected}.",
        pt "Um campo não tem a forma certa." => "Esperado: {expected}.";
    /// A page longer than allowed, or empty.
    PAGE_LIMIT = "PAGE_LIMIT_INVALID", Invalid,
        en "A page has 1 to {max} items." => "Choose a limit within that.",
        pt "Uma página tem de 1 a {max} elementos." => "Escolha um limite dentro disso.";
    /// The header `Idempotency-Key` is not of its form.
    IDEMPOTENCY_KEY = "IDEMPOTENCY_KEY_INVALID", Malformed,
        en "The Idempotency-Key is empty, too long or has other than visible ASCII characters." => "Use a UUID.",
        pt "A Idempotency-Key está vazia, é longa demais ou tem caracteres que não são ASCII visível." => "Use um UUID.";
    /// The same key came with another request.
    IDEMPOTENCY_REUSED = "IDEMPOTENCY_KEY_REUSED", Invalid,
        en "This Idempotency-Key was used for a different request." => "Use a new key for a new request.",
        pt "Esta Idempotency-Key foi usada para outro pedido." => "Use uma chave nova para um pedido novo.";
    /// The first request with this key is still in hand.
    IDEMPOTENCY_IN_FLIGHT = "IDEMPOTENCY_IN_FLIGHT", Conflict,
        en "The first request with this Idempotency-Key is still running." => "Wait a second and ask again.",
        pt "O primeiro pedido com esta Idempotency-Key ainda está a decorrer." => "Espere um segundo e pergunte de novo.";
    /// The request was carried out, but its answer is gone.
    IDEMPOTENCY_FORGOTTEN = "IDEMPOTENCY_ANSWER_FORGOTTEN", Conflict,
        en "The request with this Idempotency-Key was carried out; its answer is gone since somebody was forgotten." => "Do not send it again: look for what it made.",
        pt "O pedido com esta Idempotency-Key foi executado; a resposta desapareceu porque alguém foi esquecido." => "Não o envie de novo: procure o que ele criou.";
    /// Somebody else listens at the address.
    HTTP_PORT_TAKEN = "HTTP_PORT_TAKEN", Conflict,
        en "Another program already listens on {address}." => "Stop that program, or choose another address with {setting}.",
        pt "Outro programa já escuta em {address}." => "Pare esse programa ou escolha outro endereço com {setting}.";
    /// The address is not of the form host:port.
    HTTP_ADDRESS = "HTTP_ADDRESS_INVALID", Invalid,
        en "{address} is not an address to listen on." => "Write it as 127.0.0.1:8080 or [::1]:8080.",
        pt "{address} não é um endereço onde escutar." => "Escreva-o como 127.0.0.1:8080 ou [::1]:8080.";
    /// The operating system does not let us listen.
    HTTP_LISTEN = "HTTP_LISTEN_FAILED", Internal,
        en "We cannot listen on {address} ({reason})." => "Check that the address belongs to this machine and that this user may use the port.",
        pt "Não conseguimos escutar em {address} ({reason})." => "Verifique se o endereço é desta máquina e se este utilizador pode usar a porta.";
    /// A file of the TLS pair cannot be read.
    HTTP_TLS_FILE = "HTTP_TLS_FILE_UNREADABLE", Invalid,
        en "The TLS file {file} cannot be read ({reason})." => "Name both the certificate's and the key's file, and let this user read them.",
        pt "O ficheiro TLS {file} não pode ser lido ({reason})." => "Indique o ficheiro do certificado e o da chave, e permita que este utilizador os leia.";
    /// Everybody on the machine may read the key.
    HTTP_TLS_KEY_OPEN = "HTTP_TLS_KEY_OPEN", Invalid,
        en "Every user of this machine may read the key in {file}." => "Take their rights away: chmod o-rwx {file}",
        pt "Qualquer utilizador desta máquina pode ler a chave em {file}." => "Retire-lhes as permissões: chmod o-rwx {file}";
    /// The chain and the key are no pair.
    HTTP_TLS_PAIR = "HTTP_TLS_PAIR_INVALID", Invalid,
        en "The TLS certificate and key cannot be used: {reason}." => "Give the chain as PEM, the server's own certificate first, and the key that belongs to it.",
        pt "O certificado e a chave TLS não podem ser usados: {reason}." => "Indique a cadeia em PEM, com o certificado do servidor em primeiro lugar, e a chave que lhe pertence.";
    /// A listener does not show the certificate that it was given.
    HTTP_TLS_SHOWN = "HTTP_TLS_NOT_SHOWN", Internal,
        en "The listener on {address} does not show its new certificate ({reason})." => "It is tried again; if that goes on, see whether another program answers on this address.",
        pt "A escuta em {address} não apresenta o seu novo certificado ({reason})." => "Será tentado de novo; se continuar, veja se outro programa responde neste endereço.";
    /// A setting of the door that cannot be read.
    HTTP_SETTING = "HTTP_SETTING_INVALID", Invalid,
        en "{value} cannot be used here." => "Expected: {expected}.",
        pt "{value} não pode ser usado aqui." => "Esperado: {expected}.";
    /// Nobody serves at the local socket.
    SOCKET_ABSENT = "SOCKET_ABSENT", Unavailable,
        en "No house answers at {path}." => "Start it with `selo serve`.",
        pt "Nenhuma casa responde em {path}." => "Inicie-a com `selo serve`.";
    /// The exchange over the local socket broke.
    SOCKET_BROKEN = "SOCKET_BROKEN", Unavailable,
        en "The connection to the house broke." => "Try again; the log of the house says more.",
        pt "A ligação à casa quebrou-se." => "Tente de novo; o registo da casa diz mais.";
}

/// What a handler answers when it cannot do what was asked.
#[derive(Debug, Clone)]
pub struct Failure(pub Error);

/// The result of a handler.
pub type Outcome<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.0.kind().status())
            .unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A handler's promise that its answer of 4xx or 5xx already has the shape its reader expects: a page for people, or a
/// standard protocol with error shapes of its own. Put it into the response's extensions; without it the door
/// replaces the body.
#[derive(Debug, Clone, Copy)]
pub struct OwnShape;

/// The error that a bare status of the framework stands for (a rejection that no handler of ours made).
pub(crate) fn of_status(status: axum::http::StatusCode, body_limit: usize) -> Error {
    match status.as_u16() {
        401 => UNAUTHENTICATED.error(),
        404 => NOT_FOUND.error(),
        405 => METHOD_NOT_ALLOWED.error(),
        413 => BODY_TOO_LARGE.error().with("limit", body_limit),
        415 => UNSUPPORTED_MEDIA_TYPE.error().with("expected", "application/json"),
        422 => base::error::VALIDATION.error(),
        400..=499 => MALFORMED_REQUEST.error(),
        _ => base::error::INTERNAL.error(),
    }
}

/// Whether a failure is our trouble and must be seen by an operator.
pub(crate) const fn is_ours(kind: Kind) -> bool {
    matches!(kind, Kind::Internal | Kind::Full | Kind::Unavailable)
}
