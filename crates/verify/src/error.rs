//! What can go wrong before a check begins. A document that is wrong is no error: it gets a report.

base::codes! {
    /// Nothing was handed in.
    NOTHING = "NOTHING_TO_CHECK", Malformed,
        en "There is nothing to check." => "Choose a file, or paste the document or its link.",
        pt "Não há nada para verificar." => "Escolha um ficheiro, ou cole o documento ou a sua ligação.";
    /// More than one document came at once.
    SEVERAL = "SEVERAL_DOCUMENTS", Malformed,
        en "More than one document was handed in." => "Hand in one at a time.",
        pt "Foi entregue mais do que um documento." => "Entregue um de cada vez.";
    /// The upload cannot be read.
    UPLOAD = "UPLOAD_UNREADABLE", Malformed,
        en "The upload cannot be read." => "Send one file in the form field `file`, or JSON with the member `credential`.",
        pt "O envio não pode ser lido." => "Envie um ficheiro no campo `file`, ou JSON com o membro `credential`.";
    /// A link to a page of another house.
    FOREIGN_LINK = "LINK_OF_ANOTHER_HOUSE", Malformed,
        en "This is a link to {host}, not to a document of this house." => "Open the link itself, or get the file there and hand it in here.",
        pt "Esta é uma ligação para {host}, e não para um documento desta casa." => "Abra a própria ligação, ou obtenha lá o ficheiro e entregue-o aqui.";
    /// The check took too long.
    TOO_SLOW = "CHECK_TOO_SLOW", Unavailable,
        en "The check took longer than allowed." => "Try again in a moment.",
        pt "A verificação demorou mais do que o permitido." => "Tente de novo dentro de momentos.";
    /// No such page. The same for a handle that never was and one that is no more.
    NOT_FOUND = "CREDENTIAL_PAGE_NOT_FOUND", NotFound,
        en "This link does not work (any more)." => "Ask whoever gave it to you for the document itself, and hand the file in here.",
        pt "Esta ligação não funciona (ou já não funciona)." => "Peça o próprio documento a quem lha deu, e entregue o ficheiro aqui.";
}
