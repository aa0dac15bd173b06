//! The command line that others script against. It stays as it is; new words may come, none changes its meaning.
//!
//! `--json` prints one JSON value on stdout; progress and logs go to stderr. Exit codes: 0 done or valid, 1 a clear no,
//! 2 unreadable input or wrong use, 3 trouble of our own, 4 could not be decided.

mod roots;

use std::{borrow::Cow, ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};

pub use roots::{AskRoot, RevokeAuthority, RootCommand, RootSign};

/// Selo: one program for a country's, a university's or a bank's digital trust.
#[derive(Debug, Parser)]
#[command(name = "selo", version, max_term_width = 100)]
pub struct Cli {
    /// The data folder; `$SELO_HOME`, else ./selo-home.
    #[arg(long, global = true, env = "SELO_HOME", default_value = "./selo-home", value_name = "DIR")]
    pub home: PathBuf,
    /// One JSON value on stdout; progress and logs go to stderr.
    #[arg(long, global = true)]
    pub json: bool,
    /// The language of messages: en or pt; else from LANG.
    #[arg(long, global = true, value_name = "LANG")]
    pub lang: Option<String>,
    /// A file with the passphrase of the key ring.
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// A setting, over file and environment.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// A configuration file instead of selo.toml in the home.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads a command line, the program's name first. `--set` counts before and after the command: of an option
    /// that is global, clap keeps only the last place it stood in.
    ///
    /// # Errors
    /// clap's, which are also help and version.
    pub fn read(words: Vec<OsString>) -> Result<Self, clap::Error> {
        let mut cli = Self::try_parse_from(&words)?;
        let mut words =
            words.iter().skip(1).map(|word| word.to_string_lossy()).take_while(|word| word != "--");
        let mut set = Vec::new();
        while let Some(word) = words.next() {
            if word == "--set" {
                set.extend(words.next().map(Cow::into_owned));
            } else if let Some(pair) = word.strip_prefix("--set=") {
                set.push(pair.to_owned());
            }
        }
        cli.set = set;
        Ok(cli)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new house in the data folder.
    Init(Init),
    /// Serve the house until it is told to stop.
    Serve,
    /// Make a throw-away house with a university and 24 diplomas, and serve it.
    Demo(Demo),
    /// Issue credentials from a table.
    Issue(Issue),
    /// Revoke a credential, for good.
    Revoke(Change),
    /// Suspend a credential, for now.
    Suspend(Change),
    /// Bring a suspended credential back into force.
    Reinstate(Change),
    /// Check a credential: JSON, PNG, SVG, PDF, or a photo (PNG, JPEG) of its QR code.
    Verify(Verify),
    /// The evidence log.
    #[command(subcommand)]
    Log(LogCommand),
    /// People.
    #[command(subcommand)]
    Person(PersonCommand),
    /// Tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Issuing keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The certificate authority.
    #[command(subcommand)]
    Pki(PkiCommand),
    /// Accounts of partners' programs, which enter the partner zone by certificate.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Whether this machine and its user's browsers trust the root of the house.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Keep the certificates of services on this machine new, by the file that --config names.
    Agent(Agent),
    /// The administrator's entry.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the house without changing anything, and say what is wrong.
    Doctor,
    /// Print the API contract.
    #[command(hide = true)]
    Openapi,
    /// Measure (used by `cargo xtask bench`).
    #[command(hide = true)]
    Bench {
        /// What to measure.
        what: String,
    },
}

/// `selo init`
#[derive(Debug, Args)]
pub struct Init {
    /// The public address: enters everything that is signed or printed.
    #[arg(long, default_value = "http://localhost:8080", value_name = "URL")]
    pub public_url: String,
}

/// `selo demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Run the main job, print what came of it, and end.
    #[arg(long)]
    pub once: bool,
    /// The table to issue instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub rows: Option<PathBuf>,
}

/// `selo issue`
#[derive(Debug, Args)]
pub struct Issue {
    /// The template.
    #[arg(long, value_name = "NAME")]
    pub template: String,
    /// The table: CSV, the first line names the columns.
    #[arg(long, value_name = "FILE.csv")]
    pub rows: PathBuf,
    /// Where the credentials go: one JSON, PNG and PDF for each, and failed.csv.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The tenant, when the house has several.
    #[arg(long, value_name = "ten_…")]
    pub tenant: Option<String>,
}

/// `selo revoke|suspend|reinstate`
#[derive(Debug, Args)]
pub struct Change {
    /// The credential: `cred_…`.
    pub id: String,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The tenant, when the house has several.
    #[arg(long, value_name = "ten_…")]
    pub tenant: Option<String>,
}

/// `selo verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// The file, or - for standard input.
    pub file: PathBuf,
    /// A folder of status lists to rely on instead of asking anybody.
    #[arg(long, value_name = "DIR")]
    pub status_snapshot: Option<PathBuf>,
    /// A list of issuers you trust, besides the house's own tenants.
    #[arg(long, value_name = "FILE")]
    pub trust: Option<PathBuf>,
    /// An issuer who is not on the list makes the credential invalid.
    #[arg(long)]
    pub require_trust: bool,
    /// Ask addresses on the network for status lists and key documents.
    #[arg(long)]
    pub online: bool,
}

/// `selo log …`
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Compute the whole log again; or check one proof file.
    Verify {
        /// A proof made by `selo log prove`.
        proof: Option<PathBuf>,
        /// Whom to believe, as a vkey, instead of the house's own keys.
        #[arg(long, value_name = "VKEY")]
        vkey: Option<String>,
    },
    /// Write the proof that a credential's or a fact's record stands in the log (C2SP tlog-proof).
    Prove {
        /// `cred_…` or `evt_…`.
        id: String,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Keep a log elsewhere: its newest checkpoint and all its entries, in the folders of C2SP tlog-tiles.
    Mirror {
        /// `cred`, `audit` or `ca`.
        #[arg(default_value = "ca")]
        log: String,
        /// The folder to write to; what is there is not fetched again.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Print the newest signed checkpoint.
    Checkpoint {
        /// `cred`, `audit` or `ca`.
        #[arg(default_value = "cred")]
        log: String,
    },
}

/// `selo person …`
#[derive(Debug, Subcommand)]
pub enum PersonCommand {
    /// Forget a person. It cannot be undone.
    Erase {
        /// `per_…`, or a credential of the person, `cred_…`.
        id: String,
        /// The tenant, when the house has several.
        #[arg(long, value_name = "ten_…")]
        tenant: Option<String>,
    },
}

/// `selo tenant …`
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make a tenant with its first issuing key.
    Create {
        /// The institution's full name.
        name: String,
    },
    /// The tenants.
    List,
}

/// `selo keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Give a tenant a new issuing key; what the old one signed stays good.
    Rotate {
        /// The tenant, when the house has several.
        #[arg(long, value_name = "ten_…")]
        tenant: Option<String>,
    },
}

/// `selo pki …`
#[derive(Debug, Subcommand)]
pub enum PkiCommand {
    /// Make a hierarchy: an offline root in shares, an issuing authority, the first service certificate.
    Init(PkiInit),
    /// Issue a certificate.
    Issue(Box<PkiIssue>),
    /// Say whether a certificate would be issued, for how long, and every reason against.
    Explain(PkiWanted),
    /// Revoke a certificate, or many, for good.
    Revoke {
        /// The serial number, or `cert_…`.
        #[arg(required_unless_present_any = ["all_of", "key", "file"])]
        serial: Option<String>,
        /// All that this authority signed: `ca_…`.
        #[arg(long, value_name = "ca_…", conflicts_with_all = ["serial", "key", "file"])]
        all_of: Option<String>,
        /// All with this key: its `spkiSha256`, hexadecimal.
        #[arg(long, value_name = "SHA256", conflicts_with_all = ["serial", "file"])]
        key: Option<String>,
        /// All that a file names: a serial number or `cert_…` in each line.
        #[arg(long, value_name = "FILE", conflicts_with = "serial")]
        file: Option<PathBuf>,
        /// Say how many are meant, and revoke none.
        #[arg(long, conflicts_with = "serial")]
        preview: bool,
        /// unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn.
        #[arg(long, value_name = "REASON")]
        reason: String,
        /// Since when it was not to be trusted (RFC 3339).
        #[arg(long, value_name = "TIME")]
        invalid_since: Option<String>,
    },
    /// The authorities by environment, the root first.
    Authorities,
    /// Ask the root for the next issuing authority; the one that issues now retires when the answer is taken in.
    Rotate(AskRoot),
    /// Ask the root to withdraw an issuing authority, and with it everything that it signed.
    RevokeAuthority(RevokeAuthority),
    /// The offline root: show and sign what it is asked for, take its answers in.
    #[command(subcommand)]
    Root(RootCommand),
    /// After a database was put back: rebuild from a mirror of the log `ca` what happened since. The house must not be
    /// served meanwhile.
    Replay {
        /// A folder that `selo log mirror` wrote, or any other mirror of C2SP tiles.
        #[arg(long, value_name = "DIR")]
        log: PathBuf,
    },
    /// List certificates, newest first.
    List(PkiList),
    /// Show a certificate with its chain.
    Show {
        /// The serial number, or `cert_…`.
        serial: String,
        /// Where cert.pem, chain.pem and cert.tlog-proof go, when they are wanted.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Write every revocation list.
    Crl {
        /// The folder to write to.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// External keys: who holds one may open accounts of ACME.
    #[command(subcommand)]
    Eab(EabCommand),
    /// Write the whole inventory, or a part of it.
    Export {
        #[command(flatten)]
        filter: PkiFilter,
        /// csv or json.
        #[arg(long, default_value = "csv", value_name = "FORMAT")]
        format: String,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// `selo pki eab …`
#[derive(Debug, Subcommand)]
pub enum EabCommand {
    /// Make an external key and print it; it is not shown again.
    New(EabNew),
    /// List external keys, newest first.
    List,
    /// Take an external key back, for good: the accounts that it opened are closed.
    Revoke {
        /// `eab_…`
        id: String,
    },
}

/// `selo pki eab new`
#[derive(Debug, Args)]
pub struct EabNew {
    /// A DNS suffix that its accounts may order; those of acme.allow_dns when none is named.
    #[arg(long, value_name = "SUFFIX")]
    pub dns: Vec<String>,
    /// A network that its accounts may order; those of acme.allow_ip when none is named.
    #[arg(long, value_name = "NETWORK")]
    pub ip: Vec<String>,
    /// A profile that its accounts may order; those of acme.allow_profiles when none is named.
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
    /// How many accounts it opens.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub uses: i64,
    /// For how many days it opens accounts.
    #[arg(long, default_value_t = 7, value_name = "N")]
    pub days: i64,
    /// The environment, when there are several.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
}

/// `selo pki init`
#[derive(Debug, Args)]
pub struct PkiInit {
    /// The order of the ceremony, a TOML file; without one a local hierarchy `dev` is made.
    #[arg(long, value_name = "FILE")]
    pub ceremony: Option<PathBuf>,
    /// Try everything with a throw-away root, and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Take the place of the hierarchy that the environment has; that one issues no more and still answers.
    #[arg(long)]
    pub successor: bool,
    /// Where certificates, shares and transcript go.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// What `selo pki issue|explain` ask for.
#[derive(Debug, Default, Args)]
pub struct PkiWanted {
    /// server, client, service, shortlived, svid, db-client, operator, partner, edge-station.
    #[arg(long, default_value = "service", value_name = "NAME")]
    pub profile: String,
    /// A DNS name.
    #[arg(long, value_name = "NAME")]
    pub dns: Vec<String>,
    /// An address.
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Vec<String>,
    /// A URI.
    #[arg(long, value_name = "URI")]
    pub uri: Vec<String>,
    /// A mail address.
    #[arg(long, value_name = "ADDRESS")]
    pub email: Vec<String>,
    /// The common name, where the profile lives by it (db-client: the role).
    #[arg(long, value_name = "NAME")]
    pub common_name: Option<String>,
    /// A certificate request, PEM; without one a key is made here and never sent.
    #[arg(long, value_name = "FILE")]
    pub csr: Option<PathBuf>,
    /// How many days; the profile's longest when nothing is said.
    #[arg(long, value_name = "N")]
    pub days: Option<u64>,
    /// Who looks after it.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub owner: String,
    /// The environment, when there are several.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
}

/// `selo pki issue`
#[derive(Debug, Args)]
pub struct PkiIssue {
    #[command(flatten)]
    pub wanted: PkiWanted,
    /// The partner's account that enters with it (profile partner): its name, or `acct_…`.
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// The account's tenant, when the house has several.
    #[arg(long, requires = "account", value_name = "ten_…")]
    pub tenant: Option<String>,
    /// Where key.pem, cert.pem, chain.pem and cert.tlog-proof go.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Which certificates of the inventory are meant; all of them when nothing is said.
#[derive(Debug, Default, Args)]
#[group(id = "filter")]
pub struct PkiFilter {
    /// Only with a name that begins so.
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Only with a DNS name that ends with these labels.
    #[arg(long, value_name = "LABELS")]
    pub suffix: Option<String>,
    /// planned, issued, revoked, abandoned.
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,
    /// Only of this profile.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Only those of this owner.
    #[arg(long, value_name = "TEXT")]
    pub owner: Option<String>,
    /// Only those that end before (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub expires_before: Option<String>,
    /// Only those that end then or later (RFC 3339).
    #[arg(long, value_name = "TIME")]
    pub expires_after: Option<String>,
}

/// `selo pki list`
#[derive(Debug, Args)]
pub struct PkiList {
    #[command(flatten)]
    pub filter: PkiFilter,
    /// Only those past two thirds of their life that none follows.
    #[arg(long, conflicts_with = "filter")]
    pub overdue: bool,
}

/// `selo account …`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account: one for each integration of each environment.
    New {
        /// Lower-case letters, digits, hyphens and dots: bank-a.prod.
        name: String,
        /// What it may do: credential.issue, credential.read, …
        #[arg(long, required = true, value_delimiter = ',', value_name = "LIST")]
        permissions: Vec<String>,
        /// An address or a network that it comes from; from everywhere when none is named.
        #[arg(long, value_name = "CIDR")]
        allow_ip: Vec<String>,
        /// The tenant, when the house has several.
        #[arg(long, value_name = "ten_…")]
        tenant: Option<String>,
    },
    /// The accounts of a tenant.
    List {
        /// The tenant, when the house has several.
        #[arg(long, value_name = "ten_…")]
        tenant: Option<String>,
    },
    /// Close an account, at once and for good.
    Close {
        /// Its name, or `acct_…`.
        account: String,
        /// The tenant, when the house has several.
        #[arg(long, value_name = "ten_…")]
        tenant: Option<String>,
    },
}

/// `selo trust …`
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Trust the root of the house.
    Install(TrustPlaces),
    /// Trust it no longer.
    Remove(TrustPlaces),
    /// Say where it is trusted.
    List,
}

/// Where `selo trust` changes something; browsers, and as root the machine, when nothing is said.
#[derive(Debug, Args)]
pub struct TrustPlaces {
    /// The machine's own store.
    #[arg(long)]
    pub system: bool,
    /// The browsers of this user.
    #[arg(long)]
    pub browser: bool,
    /// Do not ask: the fingerprint is known to be right.
    #[arg(long)]
    pub yes: bool,
}

/// `selo agent`
#[derive(Debug, Args)]
pub struct Agent {
    /// One round, and an end: exit code 0 when every certificate is well, 1 when one is not.
    #[arg(long)]
    pub once: bool,
    /// Something else than going on.
    #[command(subcommand)]
    pub what: Option<AgentCommand>,
}

/// `selo agent …`
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Say how each certificate is doing; nobody is asked.
    Status,
}

/// `selo admin …`
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Print a new one-time link for the administrator's browser.
    Link,
}

/// `selo config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong with the configuration.
    Check,
    /// Print every setting.
    Print {
        /// Say where each value comes from.
        #[arg(long)]
        origin: bool,
    },
    /// Print the JSON Schema of the configuration file.
    Schema,
}
