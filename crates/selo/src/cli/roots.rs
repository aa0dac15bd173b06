//! `selo pki root …` and what else ends at an offline root.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `selo pki root …`
#[derive(Debug, Subcommand)]
pub enum RootCommand {
    /// Say in words what a request asks a root to sign. Needs no house.
    Show {
        /// A file that `selo pki rotate`, `revoke-authority` or `root request-crl` wrote.
        request: PathBuf,
    },
    /// Sign a request with the key that the shares give. Needs no house and no network.
    Sign(RootSign),
    /// Sign a request for an issuing authority; the same as sign.
    SignIntermediate(RootSign),
    /// Ask the root for its next revocation list.
    RequestCrl {
        /// The root, `ca_…`, when it is not the one in use.
        #[arg(long, value_name = "ca_…")]
        root: Option<String>,
        #[command(flatten)]
        ask: AskRoot,
    },
    /// Take a root's answer in.
    Accept {
        /// The file that `selo pki root sign` wrote.
        response: PathBuf,
        /// Where the new intermediate.pem, chain.pem and root.crl.pem go.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// What roots were asked for, newest first.
    Requests,
    /// Give an open request up; what it planned counts as revoked.
    Abandon {
        /// `rreq_…`
        id: String,
    },
}

/// `selo pki root sign`
#[derive(Debug, Args)]
pub struct RootSign {
    /// The request.
    pub request: PathBuf,
    /// A share of the root's key; give as many as are needed.
    #[arg(long = "share", value_name = "FILE", required = true)]
    pub shares: Vec<PathBuf>,
    /// The answer to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Do not ask before signing.
    #[arg(long)]
    pub yes: bool,
}

/// What every request to a root has.
#[derive(Debug, Args)]
pub struct AskRoot {
    /// The environment, when there are several.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Where the key of a new authority is made, sealed or token; as the house's settings say when nothing is said.
    #[arg(long, value_name = "PLACE")]
    pub keys: Option<String>,
    /// Why, in words, for whoever holds the root's shares.
    #[arg(long = "because", default_value = "", value_name = "TEXT")]
    pub because: String,
    /// The request to write; *.selo-request by custom.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `selo pki revoke-authority`
#[derive(Debug, Args)]
pub struct RevokeAuthority {
    /// The authority: `ca_…`; where it was lost with a database, its certificate: `cert_…` or its number.
    pub authority: String,
    /// caCompromise, or a reason as for certificates.
    #[arg(long, value_name = "REASON")]
    pub reason: String,
    /// Ask for the next issuing authority in the same file.
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    pub ask: AskRoot,
}
