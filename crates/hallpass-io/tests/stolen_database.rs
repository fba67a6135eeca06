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
    Carrier, Delivery, Hallpass, IdempotencyKey, Issued, Opening, Parts, Settings, SignIn, SignUp,
};
use hallpass_io::SqliteStore;
use hallpass_io::sqlite::Options;
use std::path::Path;
use std::sync::Arc;

const EMAIL: &str = "ada@example.test";
const PASSWORD: &str = "a fox on the moon";
const KEY: &str = "one-attempt-to-refresh-0001";
const SECRET: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";

async fn start(path: &Path) -> Hallpass {
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
    let secret = MasterSecret::from_bytes(SECRET.to_vec()).unwrap();
    Hallpass::start(settings, Parts::new(Arc::new(store), secret))
        .await
        .unwrap()
}

fn opening(delivery: Delivery) -> Opening {
    Opening {
        delivery,
        persistence: Persistence::Remembered,
        device: Device::default(),
        replaces: None,
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
    let carrier: Carrier = issued.session.delivery.refresh();
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
    let hallpass = start(&directory.path().join("hallpass.db")).await;
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
