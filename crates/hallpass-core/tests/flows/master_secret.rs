//! The master secret is replaced, and nobody is signed out.

use crate::common::*;
use hallpass_core::{Hallpass, Parts, StartError};
use hallpass_verify::csrf;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

async fn start(world: &World, now: u8, former: &[u8]) -> Result<Hallpass, StartError> {
    let former = former.iter().map(|first| secret(*first)).collect();
    let parts = Parts::new(world.store.clone(), secret(now)).former_secrets(former);
    Hallpass::start(cheap(), parts.clock(world.clock.clone())).await
}

#[tokio::test]
async fn the_master_secret_is_replaced_and_everything_handed_out_stays_good() {
    let (world, before) = World::started().await;
    let issued = open(&before, "ada").await;
    let during = start(&world, 1, &[0]).await.unwrap();
    assert!(during.has_former_seals().await.unwrap());
    assert_eq!(
        during.reseal().await.unwrap(),
        2,
        "the root and one signing key"
    );
    assert!(!during.has_former_seals().await.unwrap());
    assert_eq!(during.reseal().await.unwrap(), 0);
    // The process that was started before goes on, although it does not know the new secret.
    verify(&before, &open(&during, "bob").await).unwrap();
    before.sync().await.unwrap();
    let issued = refresh(&before, issued.refresh.expose()).await.unwrap();
    let after = start(&world, 1, &[]).await.unwrap();
    verify(&after, &issued).unwrap();
    let hash = after.csrf_hash(issued.session.id);
    assert!(csrf::check(issued.csrf.expose(), &hash));
    let next = refresh(&after, issued.refresh.expose()).await.unwrap();
    verify(&before, &next).unwrap();
}

#[tokio::test]
async fn without_the_former_secret_a_start_is_refused_until_everything_is_sealed_anew() {
    let (world, before) = World::started().await;
    before.rotate_key().await.unwrap();
    assert!(matches!(
        start(&world, 1, &[]).await,
        Err(StartError::Key(_))
    ));
    assert!(matches!(
        start(&world, 1, &[2]).await,
        Err(StartError::Key(_))
    ));
    let during = start(&world, 1, &[2, 0]).await.unwrap();
    assert_eq!(during.reseal().await.unwrap(), 3);
    start(&world, 1, &[]).await.unwrap();
    assert!(matches!(
        start(&world, 0, &[]).await,
        Err(StartError::Key(_))
    ));
}

#[tokio::test]
async fn a_process_without_the_new_secret_goes_on_until_a_key_signs_that_it_cannot_open() {
    let (world, before) = World::started().await;
    let during = start(&world, 1, &[0]).await.unwrap();
    // Made and sealed by the process that has the new secret already.
    let next = during.rotate_key().await.unwrap();
    before.sync().await.unwrap();
    world.clock.advance(59 * MINUTE);
    before.sync().await.unwrap();
    let issued = open(&before, "ada").await;
    verify(&before, &issued).unwrap();
    during.sync().await.unwrap();
    verify(&during, &issued).unwrap();
    assert!(during.keys().iter().any(|key| key.kid == next.kid));
}
