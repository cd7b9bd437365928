use p2pchat_protocol::v2::DeviceKey;
use p2pchat_secure::SecretKey;

use super::*;

fn name() -> Username {
    Username::new("alice").unwrap()
}

fn device_of(person: &SecretKey) -> Certificate {
    person.certify(DeviceKey(SecretKey::generate().public()))
}

fn bound_to(certificate: Certificate) -> StoredBinding {
    match judge(name(), None, certificate) {
        Judgement::NewPerson(stored) => stored,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_of_nobody_is_bound_to_the_first_who_knows_its_password() {
    let device = device_of(&SecretKey::generate());
    let bound = bound_to(device);
    assert_eq!(bound.binding.serial, 1);
    assert_eq!(bound.binding.person, Some(device.person));
    assert_eq!(bound.binding.devices, [device]);
    assert!(!bound.allows_version_1);
    let again = judge(name(), Some(bound.clone()), device);
    assert_eq!(again, Judgement::Admitted(bound));
}

#[test]
fn a_further_device_of_the_person_is_added_and_no_other_person_is_let_in() {
    let person = SecretKey::generate();
    let bound = bound_to(device_of(&person));
    let second = device_of(&person);
    let Judgement::NewDevice(both) = judge(name(), Some(bound.clone()), second) else {
        panic!("it is theirs");
    };
    assert_eq!(both.binding.serial, 2);
    assert_eq!(both.binding.devices.len(), 2);
    let stranger = device_of(&SecretKey::generate());
    let refused = judge(name(), Some(bound), stranger);
    assert_eq!(refused, Judgement::Refused(Refusal::OtherPerson));
}

#[test]
fn a_person_has_so_many_devices_and_no_more() {
    let person = SecretKey::generate();
    let mut bound = bound_to(device_of(&person));
    while bound.binding.devices.len() < MAX_DEVICES {
        bound.binding.devices.push(device_of(&person));
    }
    let refused = judge(name(), Some(bound.clone()), device_of(&person));
    assert_eq!(refused, Judgement::Refused(Refusal::TooManyDevices));
    let last = bound.binding.devices[MAX_DEVICES - 1];
    let admitted = judge(name(), Some(bound.clone()), last);
    assert_eq!(admitted, Judgement::Admitted(bound));
}

#[test]
fn a_forgotten_device_stays_out_by_whatever_certificate() {
    let person = SecretKey::generate();
    let device = device_of(&person);
    let mut bound = bound_to(device);
    bound.binding.devices.clear();
    bound.forgotten.push(device.device);
    let refused = Judgement::Refused(Refusal::DeviceForgotten);
    assert_eq!(judge(name(), Some(bound.clone()), device), refused);
    bound.binding.person = None;
    let other = SecretKey::generate().certify(device.device);
    assert_eq!(judge(name(), Some(bound), other), refused);
}

#[test]
fn after_a_reset_the_serial_goes_on_and_nothing_of_the_person_before_stays() {
    let mut bound = bound_to(device_of(&SecretKey::generate()));
    bound.binding.display_name = "Alice".parse().unwrap();
    bound.allows_version_1 = true;
    bound.binding.person = None;
    bound.binding.serial = 7;
    let device = device_of(&SecretKey::generate());
    let Judgement::NewPerson(new) = judge(name(), Some(bound), device) else {
        panic!("it is nobody's");
    };
    assert_eq!(new.binding.serial, 8);
    assert_eq!(new.binding.devices, [device]);
    assert!(new.binding.display_name.is_empty() && !new.allows_version_1);
}

#[test]
fn lookups_are_kept_for_a_moment_in_bounded_memory() {
    let cache = LookupCache::default();
    let answer: Arc<[u8]> = vec![1].into();
    cache.insert(name(), Duration::ZERO, Arc::clone(&answer));
    assert!(cache.get(name(), LOOKUP_AGE / 2).is_some());
    assert!(cache.get(name(), LOOKUP_AGE).is_none());
    cache.forget(name());
    assert!(cache.get(name(), Duration::ZERO).is_none());
    for n in 0..3 * LOOKUPS {
        let name = Username::new(&format!("n{n}")).unwrap();
        cache.insert(name, Duration::ZERO, Arc::clone(&answer));
        assert!(cache.answers().len() <= LOOKUPS);
    }
}
