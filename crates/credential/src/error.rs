//! What can go wrong with credentials.

base::codes! {
    /// No such credential, or not one of the caller's.
    NOT_FOUND = "CREDENTIAL_NOT_FOUND", NotFound,
        en "There is no credential {id}." => "Copy the id from the issuer's list.",
        pt "Não existe a credencial {id}." => "Copie o identificador da lista do emissor.";
    /// The credential is being issued at this moment.
    NOT_ISSUED = "CREDENTIAL_NOT_ISSUED", Conflict,
        en "The credential is not issued yet." => "Try again in a moment.",
        pt "A credencial ainda não foi emitida." => "Tente de novo dentro de momentos.";
    /// Revoked is final.
    REVOKED_FINAL = "CREDENTIAL_REVOKED", Conflict,
        en "The credential is revoked, and revoked is final." => "Issue a new one.",
        pt "A credencial está revogada, e a revogação é definitiva." => "Emita uma nova.";
    /// It is in that state already, or not in the one the change needs.
    STATE = "CREDENTIAL_STATE", Conflict,
        en "The credential is {state}; it cannot be {verb}." => "Look at its history.",
        pt "A credencial está no estado {state}; a operação {verb} não é possível." => "Consulte o seu histórico.";
    /// A change of status without a reason.
    REASON = "REASON_NEEDED", Invalid,
        en "A reason of 1 to 500 characters is needed." => "Say why, for the record.",
        pt "É necessário um motivo de 1 a 500 caracteres." => "Diga porquê, para o registo.";
    /// No such template.
    TEMPLATE = "TEMPLATE_NOT_FOUND", NotFound,
        en "There is no template {template}." => "The templates are {known}.",
        pt "Não existe o modelo {template}." => "Os modelos são {known}.";
    /// A column that the template needs is not in the table.
    COLUMN_MISSING = "CSV_COLUMN_MISSING", Invalid,
        en "The column {column} is missing." => "Put these names into the first line: {columns}.",
        pt "Falta a coluna {column}." => "Ponha estes nomes na primeira linha: {columns}.";
    /// A column that the template does not know.
    COLUMN_UNKNOWN = "CSV_COLUMN_UNKNOWN", Invalid,
        en "The column {column} means nothing to this template." => "Take it out, or name it as one of: {columns}.",
        pt "A coluna {column} não significa nada para este modelo." => "Retire-a, ou dê-lhe um destes nomes: {columns}.";
    /// A column twice.
    COLUMN_TWICE = "CSV_COLUMN_TWICE", Invalid,
        en "The column {column} is there twice." => "Keep one of them.",
        pt "A coluna {column} aparece duas vezes." => "Mantenha só uma.";
    /// The table is not text that we read.
    ENCODING = "CSV_ENCODING", Invalid,
        en "The file is neither UTF-8 nor Windows-1252 text (line {line})." => "Save it as CSV UTF-8 and send it again.",
        pt "O ficheiro não é texto UTF-8 nem Windows-1252 (linha {line})." => "Guarde-o como CSV UTF-8 e envie-o de novo.";
    /// More rows than one table may have.
    ROWS_TOO_MANY = "CSV_ROWS_TOO_MANY", TooLarge,
        en "The table has more than {limit} rows." => "Split it into several files.",
        pt "A tabela tem mais de {limit} linhas." => "Divida-a em vários ficheiros.";
    /// A table without rows.
    ROWS_NONE = "CSV_EMPTY", Invalid,
        en "The table has no rows." => "The first line names the columns, each further line is one person.",
        pt "A tabela não tem linhas." => "A primeira linha dá o nome das colunas, cada linha seguinte é uma pessoa.";
    /// A row with more or fewer cells than the head.
    ROW_WIDTH = "CSV_ROW_WIDTH", Invalid,
        en "Line {line} has {found} cells, but the first line has {expected}." => "Look for a missing comma, or put cells with commas in quotes.",
        pt "A linha {line} tem {found} células, mas a primeira tem {expected}." => "Procure uma vírgula em falta, ou ponha entre aspas as células com vírgulas.";
    /// The same row twice.
    ROW_TWICE = "CSV_ROW_TWICE", Invalid,
        en "Line {line} says the same as line {first}." => "Delete one of them.",
        pt "A linha {line} diz o mesmo que a linha {first}." => "Apague uma delas.";
    /// A cell that must not be empty.
    CELL_EMPTY = "CELL_EMPTY", Invalid,
        en "{column} is empty." => "Fill it in.",
        pt "{column} está vazio." => "Preencha.";
    /// A cell that is too long.
    CELL_TOO_LONG = "CELL_TOO_LONG", Invalid,
        en "{column} has {found} characters; at most {limit} are accepted." => "Shorten it.",
        pt "{column} tem {found} caracteres; são aceites no máximo {limit}." => "Encurte.";
    /// A cell with control characters.
    CELL_CONTROL = "CELL_CONTROL", Invalid,
        en "{column} has an invisible control character." => "Type it again by hand.",
        pt "{column} tem um carácter de controlo invisível." => "Escreva de novo à mão.";
    /// A cell that a spreadsheet would take for a formula.
    CELL_FORMULA = "CELL_FORMULA", Invalid,
        en "{column} begins with {character}, as a spreadsheet formula does." => "Write plain text; formulas are never evaluated.",
        pt "{column} começa por {character}, como uma fórmula de folha de cálculo." => "Escreva texto simples; as fórmulas nunca são calculadas.";
    /// A date of another form.
    CELL_DATE = "CELL_DATE", Invalid,
        en "{column} is no date of the form 2026-07-31." => "Write year-month-day.",
        pt "{column} não é uma data da forma 2026-07-31." => "Escreva ano-mês-dia.";
    /// An e-mail address that cannot be one.
    CELL_EMAIL = "CELL_EMAIL", Invalid,
        en "{column} is no e-mail address." => "Write it as name@example.org, or leave it empty.",
        pt "{column} não é um endereço de correio eletrónico." => "Escreva-o como nome@exemplo.org, ou deixe vazio.";
    /// The document would break the rules of its standard.
    DOCUMENT = "CREDENTIAL_DOCUMENT", Invalid,
        en "The credential cannot be made: {reason}." => "Mend the row; nothing was signed.",
        pt "A credencial não pode ser criada: {reason}." => "Corrija a linha; nada foi assinado.";
    /// The words do not fit or a character has no glyph.
    RENDER = "RENDER_IMPOSSIBLE", Invalid,
        en "{reason}" => "{remedy}",
        pt "{motivo}" => "{solucao}";
    /// The same person was made by another verb at the same moment.
    RACE = "CREDENTIAL_RACE", Unavailable,
        en "The same person is being registered by another request." => "Try again.",
        pt "A mesma pessoa está a ser registada por outro pedido." => "Tente de novo.";
    /// A status that does not exist.
    STATUS_UNKNOWN = "STATUS_UNKNOWN", Invalid,
        en "There is no status {status}." => "Choose issued, suspended or revoked.",
        pt "Não existe o estado {status}." => "Escolha issued, suspended ou revoked.";
}
