//! Whom we believe to be GitLab: the system's certificate authorities, and those in `ca_file`.
//!
//! The TLS library reads the system's authorities when a client is made, and, as OpenSSL does,
//! those of the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` in their place; these two are the
//! library's own and the only variables that are not read through `config`. What `ca_file` names is
//! added to either. This module refuses to switch any check off: a certificate that is not
//! accepted is an error that says what to do about it.

use std::error::Error as StdError;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use reqwest::Certificate;
use rustls::CertificateError;

use super::Error;
use super::settings::Settings;

/// The most that is read of a file, in bytes. All authorities that a system knows fit into a tenth.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// Why the certificates of a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaFault {
    /// It is missing, or may not be read.
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    /// It is no bundle of certificates.
    #[error("the file is larger than {FILE_LIMIT} bytes, which no bundle of certificates is")]
    TooLarge,
    /// It holds no certificate in PEM: nothing, a key, or the binary form.
    #[error("the file holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
    /// What stands between the lines of PEM is no certificate.
    #[error("a certificate in the file is damaged")]
    Damaged(#[source] reqwest::Error),
}

/// Reads a bundle of one or more certificates in PEM.
pub(super) fn read_authorities(path: &Path) -> Result<Vec<Certificate>, Error> {
    let fault = |source: CaFault| Error::CaFile { path: path.to_owned(), source };
    let mut bundle = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_LIMIT + 1).read_to_end(&mut bundle))
        .map_err(|source| fault(CaFault::Unreadable(source)))?;
    if bundle.len() as u64 > FILE_LIMIT {
        return Err(fault(CaFault::TooLarge));
    }
    let certificates =
        Certificate::from_pem_bundle(&bundle).map_err(|source| fault(CaFault::Damaged(source)))?;
    if certificates.is_empty() {
        return Err(fault(CaFault::NoCertificate));
    }
    Ok(certificates)
}

/// Says why no client can be made: only what `ca_file` holds is looked at then, and, without one,
/// what the system has.
pub(super) fn unusable(settings: &Settings, source: reqwest::Error) -> Error {
    let source = source.without_url();
    match &settings.ca_file {
        Some(path) => Error::CaFile { path: path.clone(), source: CaFault::Damaged(source) },
        None => Error::Build { source },
    }
}

/// Returns what a person can do when the server's certificate was not accepted; `None` when
/// something else went wrong.
pub(super) fn certificate_hint(error: &reqwest::Error) -> Option<&'static str> {
    let rustls::Error::InvalidCertificate(fault) = find(error)? else {
        return None;
    };
    Some(match fault {
        // The second: from an authority of a name that is known, with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the certificate of the server, or of a proxy that looks into the traffic, comes from \
             an authority that is not known here; name a file with the authority's certificate in \
             PEM as `ca_file` of this GitLab"
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "the certificate of the server has expired or is not valid yet; it must be renewed \
             there, or the clock here is wrong"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate of the server is made out to another name; set `url` to a name that \
             it holds"
        }
        // The library's own enum, which may grow.
        _ => "the certificate of the server cannot be accepted; ask its operator",
    })
}

/// Finds what the TLS library said in the causes of an error.
fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        // An `io::Error` passes over what it holds when asked for its cause.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests;
