//! What a thief finds in a database: nothing that can be presented.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_core::key::MasterSecret;
use hallpass_core::password::{Argon2idCost, HashPoolSettings};
use hallpass_core::session::{Device, Persistence};
use hallpass_core::user::{Email, Password};
use hallpass_core::{
    Carrier, Delivery, Error, Hallpass, IdempotencyKey, Issued, NoRandomness, Opening, Parts,
    Random, Settings, SignIn, SignUp, StartError, SystemRandom,
};
use hallpass_io::SqliteStore;
use hallpass_io::sqlite::Options;
use std::path::Path;
use std::sync::{Arc, Mutex};

const EMAIL: &str = "ada@example.test";
const PASSWORD: &str = "a fox on the moon";
const KEY: &str = "one-attempt-to-refresh-0001";
const SECRET: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";

/// Keeps what was drawn as a secret. Root keys, private halves, tickets and masks have 32 bytes;
/// ids, salts and nonces, which are in the database, are shorter.
#[derive(Debug, Default)]
struct Recorded(Mutex<Vec<[u8; 32]>>);

impl Random for Recorded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        SystemRandom.fill(bytes)?;
        self.0.lock().unwrap().extend(<[u8; 32]>::try_from(&*bytes));
        Ok(())
    }
}

async fn start(path: &Path, random: &Arc<Recorded>) -> Hallpass {
    start_with(path, random, SECRET).await.unwrap()
}

async fn start_with(
    path: &Path,
    random: &Arc<Recorded>,
    secret: [u8; 32],
) -> Result<Hallpass, StartError> {
    let settings = Settings {
        password_cost: Argon2idCost {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
        },
        password_pool: HashPoolSettings {
            workers: 1,
            queue_len_max: 8,
        },
        ..Settings::new("https://auth.example.test")
    };
    let store = SqliteStore::open(path, Options::default()).unwrap();
    let secret = MasterSecret::from_bytes(secret.to_vec()).unwrap();
    let parts = Parts::new(Arc::new(store), secret).random(random.clone());
    Hallpass::start(settings, parts).await
}

fn opening(delivery: Delivery) -> Opening {
    Opening {
        delivery,
        persistence: Persistence::Remembered,
        ..Opening::default()
    }
}

/// Signs up, signs in with every delivery, refreshes with and without a key, signs out.
async fn live_a_little(hallpass: &Hallpass) -> Vec<Issued> {
    let (email, password) = (
        Email::parse(EMAIL).unwrap(),
        Password::chosen(PASSWORD).unwrap(),
    );
    let sign_up = SignUp {
        email,
        password,
        name: None,
        roles: Vec::new(),
    };
    let mut all = vec![
        hallpass
            .sign_up(sign_up, opening(Delivery::Cookie))
            .await
            .unwrap(),
    ];
    for delivery in Delivery::ALL {
        let sign_in = SignIn {
            email: Email::parse(EMAIL).unwrap(),
            password: Password::presented(PASSWORD).unwrap(),
        };
        let issued = hallpass.sign_in(sign_in, opening(delivery)).await.unwrap();
        let key = IdempotencyKey::parse(KEY).unwrap();
        let refreshed = refresh(hallpass, &issued, Some(key)).await;
        all.push(refresh(hallpass, &refreshed, None).await);
        all.extend([issued, refreshed]);
    }
    hallpass
        .sign_out(all[0].session.id, &Device::default())
        .await
        .unwrap();
    all
}

async fn refresh(hallpass: &Hallpass, issued: &Issued, key: Option<IdempotencyKey>) -> Issued {
    let carrier = match issued.session.delivery {
        Delivery::Body => Carrier::Body,
        _ => Carrier::Cookie,
    };
    let token = hallpass.open_refresh_token(issued.refresh.expose(), carrier);
    hallpass
        .refresh(token.unwrap(), key, &Device::default())
        .await
        .unwrap()
}

/// Everything that is on the disk: the database, its log and index, and a backup.
fn disk(directory: &Path) -> Vec<u8> {
    let database = rusqlite::Connection::open(directory.join("hallpass.db")).unwrap();
    let backup = directory.join("backup.db");
    database
        .execute("VACUUM INTO ?1", [backup.to_str().unwrap()])
        .unwrap();
    let files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(files.len(), 4, "database, log, index of the log, backup");
    files.concat()
}

fn contains(disk: &[u8], wanted: &[u8]) -> bool {
    assert!(wanted.len() >= 16);
    disk.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test]
async fn rf_17_nothing_in_the_database_or_a_backup_can_be_presented() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hallpass.db");
    let hallpass = start(&path, &Arc::default()).await;
    let all = live_a_little(&hallpass).await;
    let disk = disk(directory.path());
    // The search finds what is there.
    assert!(contains(&disk, EMAIL.as_bytes()));
    assert!(contains(&disk, b"$argon2id$v=19$m="));
    for issued in &all {
        assert!(contains(&disk, issued.session.id.as_bytes()));
        let token = issued.refresh.expose();
        let bytes = URL_SAFE_NO_PAD
            .decode(token.strip_prefix("hpr_").unwrap())
            .unwrap();
        assert!(!contains(&disk, token.as_bytes()));
        assert!(!contains(&disk, &bytes));
        let mac = &bytes[bytes.len() - 32..];
        assert!(!contains(&disk, mac) && !contains(&disk, &mac[..16]));
        let access = issued.access.expose();
        let signature = access.rsplit('.').next().unwrap();
        assert!(!contains(&disk, access.as_bytes()) && !contains(&disk, signature.as_bytes()));
        assert!(!contains(&disk, issued.csrf.expose().as_bytes()));
    }
    for secret in [PASSWORD.as_bytes(), KEY.as_bytes(), &SECRET] {
        assert!(!contains(&disk, secret));
    }
}

#[tokio::test]
async fn rf_17_nothing_in_the_database_or_a_backup_can_be_made_a_ticket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hallpass.db");
    let hallpass = start(&path, &Arc::default()).await;
    let session = live_a_little(&hallpass).await[1].session.id;
    let ticket = hallpass.issue_ticket(session).await.unwrap();
    let used = hallpass.issue_ticket(session).await.unwrap();
    hallpass.redeem_ticket(used.expose()).await.unwrap();
    let disk = disk(directory.path());
    for ticket in [&ticket, &used] {
        let text = ticket.expose().strip_prefix("hpt_").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        assert!(!contains(&disk, text.as_bytes()) && !contains(&disk, &bytes));
    }
    let database = rusqlite::Connection::open(&path).unwrap();
    let (count, hash): (u32, Vec<u8>) = database
        .query_row("SELECT count(*), hash FROM ticket", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!((count, contains(&disk, &hash)), (1, true));
    let made = URL_SAFE_NO_PAD.encode(&hash);
    for text in [&format!("hpt_{made}"), &made] {
        let refused = hallpass.redeem_ticket(text).await;
        assert!(matches!(refused, Err(Error::InvalidTicket)));
    }
    // What was stolen is the ticket that is good.
    hallpass.redeem_ticket(ticket.expose()).await.unwrap();
}

#[tokio::test]
async fn rf_17_no_key_in_the_database_or_a_backup_opens_without_the_master_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hallpass.db");
    let random = Arc::new(Recorded::default());
    let hallpass = start(&path, &random).await;
    // The root key and the private half of the key that signs.
    let drawn = random.0.lock().unwrap().len();
    assert!(drawn >= 2, "{drawn}");
    hallpass.rotate_key().await.unwrap();
    let session = live_a_little(&hallpass).await[1].session.id;
    hallpass.issue_ticket(session).await.unwrap();
    let disk = disk(directory.path());
    let database = rusqlite::Connection::open(&path).unwrap();
    let sealed: Vec<Vec<u8>> = database
        .prepare("SELECT sealed FROM root_key UNION ALL SELECT sealed FROM signing_key")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(sealed.len(), 3);
    assert!(sealed.iter().all(|sealed| contains(&disk, sealed)));
    for secret in random.0.lock().unwrap().iter() {
        assert!(!contains(&disk, secret) && !contains(&disk, &secret[..16]));
    }
    let mut guess = SECRET;
    guess[31] ^= 1;
    let refused = start_with(&path, &random, guess).await;
    assert!(matches!(refused, Err(StartError::Key(_))));
    start(&path, &random).await;
}
