//! The codes of checks and the sentences that explain them, in Portuguese and English.
//!
//! A code is stable: it may be added, its meaning never changes (spec verify §2). Each has a sentence for what is wrong
//! and one for what to do; what passed, was skipped or could not be decided is said per family.
//! Never here: jargon, and a code without its four sentences (the list is one macro, so that cannot be written).

/// The languages of the sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// European Portuguese.
    #[default]
    Pt,
    /// English.
    En,
}

/// What came out of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Result {
    /// As it should be.
    Pass,
    /// Not done, because an earlier answer made it pointless.
    Skipped,
    /// Accepted, but worth knowing.
    Warn,
    /// Could not be decided.
    Unknown,
    /// Wrong.
    Fail,
}

impl Result {
    /// Every result.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Skipped, Self::Warn, Self::Unknown, Self::Fail];
}

/// What a code is about; passing checks are explained per family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// What kind of file it is.
    Format,
    /// Whether it can be read.
    Parse,
    /// Whether it has the parts it must have.
    Shape,
    /// The signature.
    Proof,
    /// The key behind the signature.
    Key,
    /// Who issued it.
    Issuer,
    /// Whether it was withdrawn.
    Status,
    /// Whether its time is right.
    Time,
    /// The issuer's own form.
    Schema,
    /// Selectively disclosed fields.
    Disclosure,
    /// Who presents it.
    Holder,
    /// What it shows.
    Display,
    /// The evidence log.
    Log,
    /// Links.
    Token,
}

impl Family {
    /// Pass, skipped, unknown; each Portuguese then English.
    fn sentences(self) -> [[&'static str; 2]; 3] {
        match self {
            Self::Format => [
                ["O ficheiro é de um tipo que sabemos ler.", "The file is of a kind we can read."],
                ["O tipo do ficheiro não foi verificado.", "The kind of file was not checked."],
                [
                    "Não foi possível saber que tipo de ficheiro é este.",
                    "We could not tell what kind of file this is.",
                ],
            ],
            Self::Parse => [
                ["O documento está inteiro e legível.", "The document is whole and readable."],
                ["O conteúdo não foi lido.", "The content was not read."],
                ["Não foi possível ler o conteúdo.", "The content could not be read."],
            ],
            Self::Shape => [
                [
                    "O documento tem todas as partes que deve ter.",
                    "The document has all the parts it must have.",
                ],
                [
                    "As partes do documento não foram verificadas.",
                    "The parts of the document were not checked.",
                ],
                [
                    "Não foi possível verificar as partes do documento.",
                    "The parts of the document could not be checked.",
                ],
            ],
            Self::Proof => [
                [
                    "A assinatura está correta: nada foi alterado desde que o documento foi assinado.",
                    "The signature is correct: nothing was changed since the document was signed.",
                ],
                ["A assinatura não foi verificada.", "The signature was not checked."],
                ["Não foi possível verificar a assinatura.", "The signature could not be checked."],
            ],
            Self::Key => [
                [
                    "A chave da assinatura pertence ao emissor.",
                    "The key of the signature belongs to the issuer.",
                ],
                ["A chave da assinatura não foi verificada.", "The key of the signature was not checked."],
                ["Não foi possível encontrar a chave do emissor.", "The issuer's key could not be found."],
            ],
            Self::Issuer => [
                ["O emissor está na lista de confiança.", "The issuer is on the trust list."],
                [
                    "O emissor não foi procurado na lista de confiança.",
                    "The issuer was not looked up on the trust list.",
                ],
                [
                    "Não foi possível consultar a lista de confiança.",
                    "The trust list could not be consulted.",
                ],
            ],
            Self::Status => [
                ["O emissor não retirou este documento.", "The issuer has not withdrawn this document."],
                [
                    "Não se perguntou ao emissor se o documento foi retirado, porque já não era preciso.",
                    "The issuer was not asked whether the document was withdrawn, because it was no longer needed.",
                ],
                [
                    "Não foi possível saber se o emissor retirou este documento.",
                    "We could not find out whether the issuer withdrew this document.",
                ],
            ],
            Self::Time => [
                ["O documento está dentro da sua validade.", "The document is within its validity."],
                ["A validade não foi verificada.", "The validity was not checked."],
                ["Não foi possível verificar a validade.", "The validity could not be checked."],
            ],
            Self::Schema => [
                ["O documento segue o modelo do emissor.", "The document follows the issuer's form."],
                ["O modelo do emissor não foi verificado.", "The issuer's form was not checked."],
                ["Não foi possível obter o modelo do emissor.", "The issuer's form could not be had."],
            ],
            Self::Disclosure => [
                [
                    "Os campos mostrados pertencem a este documento.",
                    "The fields shown belong to this document.",
                ],
                ["Os campos mostrados não foram verificados.", "The fields shown were not checked."],
                ["Não foi possível verificar os campos mostrados.", "The fields shown could not be checked."],
            ],
            Self::Holder => [
                ["O documento pertence a quem foi indicado.", "The document belongs to the person given."],
                [
                    "Não foi verificado a quem pertence o documento.",
                    "To whom the document belongs was not checked.",
                ],
                [
                    "Não foi possível saber a quem pertence o documento.",
                    "We could not find out to whom the document belongs.",
                ],
            ],
            Self::Display => [
                ["O que se vê é o que foi assinado.", "What is shown is what was signed."],
                [
                    "A imagem não foi comparada com o que foi assinado.",
                    "The picture was not compared with what was signed.",
                ],
                [
                    "Não foi possível comparar a imagem com o que foi assinado.",
                    "The picture could not be compared with what was signed.",
                ],
            ],
            Self::Log => [
                [
                    "O documento consta do registo público do emissor.",
                    "The document is in the issuer's public record.",
                ],
                ["O registo público não foi consultado.", "The public record was not consulted."],
                [
                    "Não foi possível consultar o registo público.",
                    "The public record could not be consulted.",
                ],
            ],
            Self::Token => [
                ["A ligação funciona.", "The link works."],
                ["A ligação não foi verificada.", "The link was not checked."],
                ["Não foi possível verificar a ligação.", "The link could not be checked."],
            ],
        }
    }
}

/// What a warning about the vocabulary means: it is understood, but old or the document's own.
const OLD_OR_OWN_NAMES: [&str; 2] = [
    "O documento usa um formato antigo ou nomes que ele próprio define: {0}.",
    "The document uses an old format or names that it defines itself: {0}.",
];

/// What stands behind a link that was not asked: only its own host knows.
const LINK_NOT_ASKED: [&str; 2] = [
    "O código contém a ligação {0}; só {1} pode dizer o que lá está.",
    "The code holds the link {0}; only {1} can say what stands there.",
];
/// And what to do about it.
const ASK_THE_HOST: [&str; 2] = [
    "Se conhece esse endereço e confia nele, compare-o letra a letra e abra-o você mesmo; ou obtenha lá o ficheiro e entregue-o.",
    "If you know and trust that address, compare it letter by letter and open it yourself; or get the file there and hand it in.",
];

/// The sentence of a pair in a language.
fn pick(pair: [&'static str; 2], lang: Lang) -> &'static str {
    let [pt, en] = pair;
    match lang {
        Lang::Pt => pt,
        Lang::En => en,
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $family:ident
        $problem_pt:literal $problem_en:literal $remedy_pt:literal $remedy_en:literal;)*) => {
        /// A stable code of a check (spec verify §2). In its sentences `{0}`, `{1}` stand for the check's arguments.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(
                #[doc = concat!("`", $name, "`: ", $problem_en)]
                $variant,
            )*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Self::$variant),*];

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What the code is about.
            #[must_use]
            pub fn family(self) -> Family {
                match self { $(Self::$variant => Family::$family),* }
            }

            fn problem(self) -> [&'static str; 2] {
                match self { $(Self::$variant => [$problem_pt, $problem_en]),* }
            }

            fn help(self) -> [&'static str; 2] {
                match self { $(Self::$variant => [$remedy_pt, $remedy_en]),* }
            }
        }
    };
}

codes! {
    FormatUnknown "FORMAT_UNKNOWN" Format
        "Este ficheiro não contém nenhuma credencial que saibamos ler."
        "This file holds no credential we can read."
        "Peça o ficheiro original a quem lho deu: JSON, PNG, SVG ou PDF. Se fotografou um código QR, fotografe-o de novo: só um, de perto, direito e nítido."
        "Ask whoever gave it to you for the original file: JSON, PNG, SVG or PDF. If you took a photo of a QR code, take it again: one code alone, close, straight and sharp.";
    FormatTooLarge "FORMAT_TOO_LARGE" Format
        "O ficheiro é maior do que aceitamos."
        "The file is larger than we accept."
        "Peça uma versão mais pequena do documento."
        "Ask for a smaller version of the document.";
    ParseJson "PARSE_JSON" Parse
        "O documento está danificado: {0}."
        "The document is damaged: {0}."
        "Obtenha o documento de novo; não o edite nem o copie de um ecrã."
        "Get the document again; do not edit it or copy it from a screen.";
    ParseDuplicateKey "PARSE_DUPLICATE_KEY" Parse
        "O documento diz duas coisas diferentes com o mesmo nome: {0}."
        "The document says two different things under one name: {0}."
        "Não o aceite. Peça ao emissor um documento novo."
        "Do not accept it. Ask the issuer for a new document.";
    ParseJwt "PARSE_JWT" Parse
        "O documento está danificado: {0}."
        "The document is damaged: {0}."
        "Obtenha o documento de novo."
        "Get the document again.";
    ParseCbor "PARSE_CBOR" Parse
        "O conteúdo do código está danificado: {0}."
        "The content of the code is damaged: {0}."
        "Leia o código outra vez, com boa luz."
        "Scan the code again, in good light.";
    ParseBase45 "PARSE_BASE45" Parse
        "O texto do código está danificado: {0}."
        "The text of the code is damaged: {0}."
        "Leia o código outra vez, com boa luz."
        "Scan the code again, in good light.";
    ParseZlib "PARSE_ZLIB" Parse
        "O conteúdo comprimido está danificado: {0}."
        "The packed content is damaged: {0}."
        "Leia o código outra vez ou obtenha o documento de novo."
        "Scan the code again or get the document again.";
    ParseImage "PARSE_IMAGE" Parse
        "A imagem está danificada ou já não traz a credencial dentro: {0}."
        "The picture is damaged or no longer carries the credential inside: {0}."
        "Use o ficheiro original; as redes sociais e as capturas de ecrã retiram a credencial."
        "Use the original file; social networks and screenshots remove the credential.";
    ParsePdf "PARSE_PDF" Parse
        "O PDF está danificado ou não traz a credencial dentro: {0}."
        "The PDF is damaged or does not carry the credential inside: {0}."
        "Use o PDF original, não uma versão impressa ou guardada de novo."
        "Use the original PDF, not one that was printed or saved again.";
    ShapeContext "SHAPE_CONTEXT" Shape
        "O documento não diz corretamente que vocabulário usa: {0}."
        "The document does not say correctly which vocabulary it uses: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    ShapeContextUnknown "SHAPE_CONTEXT_UNKNOWN" Shape
        "O documento usa um vocabulário que não conhecemos: {0}."
        "The document uses a vocabulary we do not know: {0}."
        "Peça ao emissor um documento num formato comum, como Open Badges 3.0."
        "Ask the issuer for a document in a common format, such as Open Badges 3.0.";
    ShapeType "SHAPE_TYPE" Shape
        "Falta uma parte obrigatória ou tem a forma errada: {0}."
        "A required part is missing or has the wrong form: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    ShapeId "SHAPE_ID" Shape
        "A identificação do documento falta ou tem a forma errada: {0}."
        "The document's identifier is missing or has the wrong form: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    ShapeIssuer "SHAPE_ISSUER" Shape
        "A parte sobre o emissor falta ou tem a forma errada: {0}."
        "The part about the issuer is missing or has the wrong form: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    ShapeSubject "SHAPE_SUBJECT" Shape
        "A parte sobre a pessoa ou o que conseguiu falta ou tem a forma errada: {0}."
        "The part about the person or the achievement is missing or has the wrong form: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    ShapeDates "SHAPE_DATES" Shape
        "As datas faltam ou contradizem-se: {0}."
        "The dates are missing or contradict each other: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    ShapeStatus "SHAPE_STATUS" Shape
        "A parte que diz onde ver se o documento foi retirado tem a forma errada: {0}."
        "The part that says where to see a withdrawal has the wrong form: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    ShapeSchemaRef "SHAPE_SCHEMA_REF" Shape
        "A referência ao modelo do emissor tem a forma errada: {0}."
        "The reference to the issuer's form has the wrong form: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    ShapeEvidence "SHAPE_EVIDENCE" Shape
        "A parte com os comprovativos tem a forma errada: {0}."
        "The part with the evidence has the wrong form: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    ShapeUndefinedTerm "SHAPE_UNDEFINED_TERM" Shape
        "O documento tem um campo que a assinatura não protege: {0}."
        "The document has a field the signature does not cover: {0}."
        "Não confie nesse campo. Peça ao emissor um documento sem ele."
        "Do not rely on that field. Ask the issuer for a document without it.";
    ProofMissing "PROOF_MISSING" Proof
        "Ninguém assinou este documento."
        "Nobody signed this document."
        "Peça ao emissor o documento assinado."
        "Ask the issuer for the signed document.";
    ProofSuiteUnknown "PROOF_SUITE_UNKNOWN" Proof
        "Foi assinado por um método que não aceitamos: {0}."
        "It was signed with a method we do not accept: {0}."
        "Peça ao emissor que assine com um método atual."
        "Ask the issuer to sign with a current method.";
    ProofSuiteLegacy "PROOF_SUITE_LEGACY" Proof
        "Foi assinado por um método antigo: {0}."
        "It was signed with an outdated method: {0}."
        "A assinatura foi verificada. Para o futuro, peça um documento assinado com um método atual."
        "The signature was checked. For the future ask for a document signed with a current method.";
    ProofValue "PROOF_VALUE" Proof
        "O conteúdo foi alterado depois de assinado, ou a assinatura não é desta chave."
        "The content was changed after it was signed, or the signature is not by this key."
        "Não o aceite. Peça o documento original diretamente ao emissor."
        "Do not accept it. Ask the issuer directly for the original document.";
    ProofPurpose "PROOF_PURPOSE" Proof
        "A assinatura foi feita para outro fim: {0}."
        "The signature was made for another purpose: {0}."
        "Peça ao emissor um documento assinado para este fim."
        "Ask the issuer for a document signed for this purpose.";
    ProofDomain "PROOF_DOMAIN" Proof
        "A assinatura foi feita para outro sítio."
        "The signature was made for another place."
        "Peça que seja apresentado de novo, para si."
        "Ask for it to be presented again, to you.";
    ProofChallenge "PROOF_CHALLENGE" Proof
        "A assinatura foi feita para outra sessão."
        "The signature was made for another session."
        "Peça que seja apresentado de novo."
        "Ask for it to be presented again.";
    ProofChain "PROOF_CHAIN" Proof
        "A assinatura confirma outra que não está no documento."
        "The signature confirms another one that is not in the document."
        "Peça o documento completo, com todas as assinaturas."
        "Ask for the complete document with all its signatures.";
    ProofExpired "PROOF_EXPIRED" Proof
        "A assinatura já não vale desde {0}."
        "The signature is no longer good since {0}."
        "Peça ao emissor um documento assinado de novo."
        "Ask the issuer for a newly signed document.";
    ProofCreatedFuture "PROOF_CREATED_FUTURE" Proof
        "A assinatura diz ter sido feita no futuro, em {0}."
        "The signature claims to have been made in the future, on {0}."
        "Verifique a data do seu computador. Se estiver certa, não aceite o documento."
        "Check the date of your computer. If it is right, do not accept the document.";
    ProofTooComplex "PROOF_TOO_COMPLEX" Proof
        "O documento está feito de um modo que não se pode verificar com segurança: {0}."
        "The document is built in a way that cannot be checked safely: {0}."
        "Não o aceite. Peça ao emissor um documento simples."
        "Do not accept it. Ask the issuer for a simple document.";
    KeyUnresolved "KEY_UNRESOLVED" Key
        "Não encontrámos a chave do emissor: {0}."
        "We could not find the issuer's key: {0}."
        "Tente mais tarde. Se continuar, pergunte ao emissor."
        "Try again later. If it persists, ask the issuer.";
    KeyNotListed "KEY_NOT_LISTED" Key
        "O emissor não indica esta chave como sua: {0}."
        "The issuer does not list this key as its own: {0}."
        "Não o aceite sem confirmar com o emissor."
        "Do not accept it without asking the issuer.";
    KeyWrongController "KEY_WRONG_CONTROLLER" Key
        "A chave pertence a outro, não ao emissor indicado: {0}."
        "The key belongs to someone else, not to the issuer named: {0}."
        "Não tome o nome do emissor por certo. Confirme com ele."
        "Do not take the issuer's name for granted. Ask the issuer.";
    KeyRevoked "KEY_REVOKED" Key
        "O emissor retirou esta chave em {0}."
        "The issuer withdrew this key on {0}."
        "Peça ao emissor um documento assinado com uma chave atual."
        "Ask the issuer for a document signed with a current key.";
    KeyChain "KEY_CHAIN" Key
        "A chave não se liga a nenhuma raiz em que confiemos."
        "The key does not lead to a root we trust."
        "Pergunte ao emissor que raiz usa."
        "Ask the issuer which root it uses.";
    IssuerUntrusted "ISSUER_UNTRUSTED" Issuer
        "A assinatura está certa, mas este emissor não está na sua lista de confiança."
        "The signature is good, but this issuer is not on your trust list."
        "Confirme por outra via quem é o emissor, ou acrescente-o à sua lista."
        "Find out by other means who the issuer is, or add it to your list.";
    IssuerTypeNotAllowed "ISSUER_TYPE_NOT_ALLOWED" Issuer
        "Este emissor não está na sua lista para este tipo de documento: {0}."
        "This issuer is not on your list for this kind of document: {0}."
        "Confirme por outra via se o emissor pode passar este tipo de documento."
        "Find out by other means whether the issuer may issue this kind of document.";
    StatusRevoked "STATUS_REVOKED" Status
        "O emissor retirou este documento."
        "The issuer withdrew this document."
        "Não o aceite. Pergunte ao emissor se há um documento que o substitua."
        "Do not accept it. Ask the issuer whether another document replaces it.";
    StatusSuspended "STATUS_SUSPENDED" Status
        "O emissor suspendeu este documento."
        "The issuer paused this document."
        "Volte a verificar mais tarde ou pergunte ao emissor."
        "Check again later or ask the issuer.";
    StatusSuperseded "STATUS_SUPERSEDED" Status
        "O emissor substituiu este documento por um mais recente."
        "The issuer replaced this document by a newer one."
        "Peça o documento mais recente."
        "Ask for the newer document.";
    StatusUnreachable "STATUS_UNREACHABLE" Status
        "Não foi possível perguntar ao emissor se retirou este documento: {0}."
        "We could not ask the issuer whether it withdrew this document: {0}."
        "Tente mais tarde."
        "Try again later.";
    StatusStale "STATUS_STALE" Status
        "A última resposta do emissor é antiga ({0})."
        "The issuer's last answer is old ({0})."
        "Ligue-se à rede e verifique de novo."
        "Connect to the network and check again.";
    StatusListInvalid "STATUS_LIST_INVALID" Status
        "A lista do emissor com os documentos retirados não está em ordem: {0}."
        "The issuer's list of withdrawn documents is not in order: {0}."
        "Tente mais tarde. Se continuar, avise o emissor."
        "Try again later. If it persists, tell the issuer.";
    StatusIndexRange "STATUS_INDEX_RANGE" Status
        "O documento aponta para um lugar que não existe na lista do emissor."
        "The document points to a place that does not exist in the issuer's list."
        "Não o aceite. Pergunte ao emissor."
        "Do not accept it. Ask the issuer.";
    StatusPurpose "STATUS_PURPOSE" Status
        "A lista do emissor serve para outra coisa do que o documento diz."
        "The issuer's list is for something else than the document says."
        "Não o aceite. Pergunte ao emissor."
        "Do not accept it. Ask the issuer.";
    StatusMissing "STATUS_MISSING" Status
        "O documento não diz onde ver se foi retirado."
        "The document does not say where to see whether it was withdrawn."
        "Se for importante, pergunte ao emissor se ainda vale."
        "If it matters, ask the issuer whether it still holds.";
    TimeNotYet "TIME_NOT_YET" Time
        "Só vale a partir de {0}."
        "It is only valid from {0}."
        "Volte a verificar nessa data."
        "Check again on that date.";
    TimeExpired "TIME_EXPIRED" Time
        "Deixou de valer em {0}."
        "It expired on {0}."
        "Peça um documento renovado."
        "Ask for a renewed document.";
    TimeFormat "TIME_FORMAT" Time
        "Uma data não está escrita como deve ser: {0}."
        "A date is not written as it must be: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    SchemaFail "SCHEMA_FAIL" Schema
        "Um campo não é como o modelo do emissor exige: {0}."
        "A field is not as the issuer's own form requires: {0}."
        "Peça ao emissor um documento corrigido."
        "Ask the issuer for a corrected document.";
    SchemaUnavailable "SCHEMA_UNAVAILABLE" Schema
        "O modelo do emissor não foi consultado: {0}."
        "The issuer's form was not consulted: {0}."
        "A assinatura não depende disso; se for importante, compare com o modelo do emissor."
        "The signature does not depend on it; if it matters, compare with the issuer's form.";
    SdDigest "SD_DIGEST" Disclosure
        "Um campo mostrado não pertence a este documento."
        "A disclosed field does not belong to this document."
        "Não o aceite. Peça que seja apresentado de novo."
        "Do not accept it. Ask for it to be presented again.";
    SdDuplicate "SD_DUPLICATE" Disclosure
        "Um campo é mostrado duas vezes."
        "A field is disclosed twice."
        "Não o aceite. Peça que seja apresentado de novo."
        "Do not accept it. Ask for it to be presented again.";
    SdUnreferenced "SD_UNREFERENCED" Disclosure
        "É mostrado um campo de que o documento nada sabe."
        "A field is disclosed that the document knows nothing of."
        "Não o aceite. Peça que seja apresentado de novo."
        "Do not accept it. Ask for it to be presented again.";
    SdAlg "SD_ALG" Disclosure
        "Os campos foram protegidos por um método que não aceitamos."
        "The fields were protected by a method we do not accept."
        "Peça ao emissor um documento com um método atual."
        "Ask the issuer for a document with a current method.";
    SdForbiddenName "SD_FORBIDDEN_NAME" Disclosure
        "Um campo mostrado tem um nome que não é permitido."
        "A disclosed field has a name that is not allowed."
        "Não o aceite. Avise o emissor."
        "Do not accept it. Tell the issuer.";
    KbMissing "KB_MISSING" Holder
        "Quem enviou isto não provou ser o titular."
        "Whoever sent this did not prove to be the holder."
        "Peça que o titular o apresente ele próprio."
        "Ask the holder to present it in person.";
    KbSignature "KB_SIGNATURE" Holder
        "A prova de que quem envia é o titular não está certa."
        "The proof that the sender is the holder is wrong."
        "Peça que o titular o apresente de novo."
        "Ask the holder to present it again.";
    KbAud "KB_AUD" Holder
        "Foi apresentado a outra pessoa, não a si."
        "It was presented to someone else, not to you."
        "Peça que lhe seja apresentado a si."
        "Ask for it to be presented to you.";
    KbNonce "KB_NONCE" Holder
        "Foi apresentado noutra ocasião."
        "It was presented on another occasion."
        "Peça que seja apresentado de novo."
        "Ask for it to be presented again.";
    KbSdHash "KB_SD_HASH" Holder
        "O titular mostrou outros campos do que estes."
        "The holder disclosed other fields than these."
        "Peça que seja apresentado de novo."
        "Ask for it to be presented again.";
    KbTime "KB_TIME" Holder
        "Foi apresentado há demasiado tempo, ou no futuro."
        "It was presented too long ago, or in the future."
        "Peça que seja apresentado de novo."
        "Ask for it to be presented again.";
    HolderMismatch "HOLDER_MISMATCH" Holder
        "Foi passado a outra pessoa do que a indicada."
        "It was issued to somebody else than the person given."
        "Confirme a identidade de quem o apresenta."
        "Confirm who is presenting it.";
    IdentityHashMismatch "IDENTITY_HASH_MISMATCH" Holder
        "O endereço ou número indicado não é o deste documento."
        "The address or number given is not the one in this document."
        "Confirme o endereço ou número, e a identidade de quem o apresenta."
        "Confirm the address or number, and who is presenting it.";
    DisplayMismatch "DISPLAY_MISMATCH" Display
        "A imagem mostra {0}, mas o valor assinado é {1}."
        "The picture shows {0}, but the signed value is {1}."
        "Acredite só nos valores assinados e avise o emissor."
        "Believe only the signed values and tell the issuer.";
    DisplayTemplateDigest "DISPLAY_TEMPLATE_DIGEST" Display
        "O desenho não é o que o emissor assinou."
        "The design is not the one the issuer signed."
        "Acredite só nos valores assinados."
        "Believe only the signed values.";
    LogInclusion "LOG_INCLUSION" Log
        "O documento não consta do registo público do emissor."
        "The document was not found in the issuer's public record."
        "Pergunte ao emissor."
        "Ask the issuer.";
    LogAnchor "LOG_ANCHOR" Log
        "Não se prova que o documento consta do registo público do emissor."
        "It cannot be proven that the document is in the issuer's public record."
        "Pergunte ao emissor."
        "Ask the issuer.";
    TokenUnknown "TOKEN_UNKNOWN" Token
        "Esta ligação não funciona."
        "This link does not work."
        "Peça uma ligação nova a quem lha deu."
        "Ask whoever gave it to you for a new link.";
    TokenExpired "TOKEN_EXPIRED" Token
        "Esta ligação já não funciona."
        "This link does not work any more."
        "Peça uma ligação nova a quem lha deu."
        "Ask whoever gave it to you for a new link.";
    TokenUsedUp "TOKEN_USED_UP" Token
        "Esta ligação já foi usada as vezes permitidas."
        "This link was used as often as allowed."
        "Peça uma ligação nova a quem lha deu."
        "Ask whoever gave it to you for a new link.";
    TokenRevoked "TOKEN_REVOKED" Token
        "Esta ligação já não funciona."
        "This link does not work any more."
        "Peça uma ligação nova a quem lha deu."
        "Ask whoever gave it to you for a new link.";
}

impl Code {
    /// The code with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// The sentence for a result, with the check's arguments filled in.
    #[must_use]
    pub fn reason(self, result: Result, args: &[String], lang: Lang) -> String {
        let [pass, skipped, unknown] = self.family().sentences();
        let template = match result {
            Result::Pass => pick(pass, lang),
            Result::Skipped => pick(skipped, lang),
            Result::Unknown if self == Self::TokenUnknown && !args.is_empty() => pick(LINK_NOT_ASKED, lang),
            Result::Unknown if args.is_empty() => pick(unknown, lang),
            Result::Warn if self == Self::ShapeContext => pick(OLD_OR_OWN_NAMES, lang),
            Result::Fail | Result::Warn | Result::Unknown => pick(self.problem(), lang),
        };
        fill(template, args)
    }

    /// What to do about it; empty where nothing is to be done.
    #[must_use]
    pub fn remedy(self, result: Result, lang: Lang) -> &'static str {
        match result {
            Result::Pass | Result::Skipped => "",
            Result::Unknown if self == Self::TokenUnknown => pick(ASK_THE_HOST, lang),
            Result::Fail | Result::Warn | Result::Unknown => pick(self.help(), lang),
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

fn fill(template: &str, args: &[String]) -> String {
    let mut text = template.to_owned();
    for (index, placeholder) in ["{0}", "{1}"].into_iter().enumerate() {
        let arg = args.get(index).map_or("…", String::as_str);
        text = text.replace(placeholder, arg);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_sentences_for_every_result_in_both_languages() {
        let args = ["UM".to_owned(), "DOIS".to_owned()];
        for code in Code::ALL {
            for result in Result::ALL {
                for lang in [Lang::Pt, Lang::En] {
                    let reason = code.reason(result, &args, lang);
                    assert!(reason.len() > 10 && reason.ends_with('.'), "{code}: {reason}");
                    assert!(!reason.contains('{'), "{code}: {reason}");
                    let remedy = code.remedy(result, lang);
                    let needs = matches!(result, Result::Fail | Result::Warn | Result::Unknown);
                    assert_eq!(!remedy.is_empty(), needs, "{code}");
                }
                let [pt, en] = code.problem();
                assert_ne!(pt, en, "{code}");
            }
        }
    }

    #[test]
    fn names_are_unique_and_lead_back_to_their_codes() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(*code));
        }
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn the_sentences_use_no_jargon() {
        for code in Code::ALL {
            for lang in [Lang::Pt, Lang::En] {
                let text = format!("{} {}", pick(code.problem(), lang), pick(code.help(), lang));
                for word in
                    ["hash", "digest", "DID", "RDF", "JWT", "cryptosuite", "multikey", "canonical", "nonce"]
                {
                    assert!(!text.contains(word), "{code}: {text}");
                }
            }
        }
    }
}
