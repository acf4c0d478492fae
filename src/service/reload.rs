//! Reading the configuration again while serving, as SIGHUP asks for.
//!
//! The trusted keys, and the times between which they count, take effect at once. Everything else is set when the server
//! starts; where it was changed, the log says that it needs a restart. What can't be used changes nothing.

use super::condition::Condition;
use super::config::{Config, ConfigError};
use super::server::ServeError;
use crate::snapshot::signature::TrustedKeys;
use crate::snapshot::{Store, Terms};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;
use tokio::task::spawn_blocking;

/// The configuration, each time it is to be read again, or why it can't be.
pub type Reloads = Receiver<Result<Config, ConfigError>>;

/// Takes over what can be taken over of each configuration that comes, for ever.
pub(super) async fn run(
    mut reloads: Reloads,
    mut before: Config,
    terms: Terms,
    condition: &Condition,
) {
    while let Some(read) = reloads.recv().await {
        let config = match read {
            Ok(config) => config,
            Err(error) => {
                tracing::error!(%error, "the configuration was read again and is not used; the one before stays");
                continue;
            }
        };
        let needs_restart = Config {
            trusted_keys: before.trusted_keys.clone(),
            ..config.clone()
        } != before
            || config.trusted_keys.is_empty() != before.trusted_keys.is_empty();
        if needs_restart {
            tracing::warn!("the configuration has other changes than keys: they need a restart");
        }
        if config.trusted_keys.is_empty() || before.trusted_keys.is_empty() {
            tracing::info!("the configuration was read again");
            continue;
        }
        let (store, of_keys) = (condition.store.clone(), config.clone());
        let keys = spawn_blocking(move || read_keys(&store, &of_keys)).await;
        match keys {
            Ok(Ok(keys)) => {
                terms.replace_trusted(keys);
                let trusted = terms.trusted_keys();
                tracing::info!(
                    keys = trusted.len(),
                    "the configuration and the trusted keys were read again"
                );
                condition.trusted.store(Arc::new(trusted));
                before.trusted_keys = config.trusted_keys;
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the trusted keys were read again and are not used; those before stay");
            }
            Err(_) => tracing::error!(
                "reading the trusted keys again ended in a panic; those before stay"
            ),
        }
    }
    // Nobody asks any more.
    std::future::pending().await
}

/// The keys of a configuration, if what is published is signed with one of them: a mistake in them is not to take a
/// server out of service that was not restarted.
fn read_keys(store: &Path, config: &Config) -> Result<TrustedKeys, ServeError> {
    let keys = TrustedKeys::open(config.trusted_keys.iter().cloned())?;
    let store = Store::open(store)?.with_terms(Terms::default().trusting(keys.clone()));
    store.manifest(&store.pointer()?)?;
    Ok(keys)
}
