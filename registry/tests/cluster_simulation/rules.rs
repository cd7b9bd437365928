//! Who may sign in, by the binding of the name.

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Binding, Certificate};
use p2pchat_registry::store::StoredBinding;

/// What follows from a binding for a device.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// It is in.
    Admitted(StoredBinding),
    /// It is in once this is kept.
    Keep(StoredBinding),
    /// It is not in.
    Refused,
}

pub(crate) fn judge(
    name: Username,
    stored: Option<&StoredBinding>,
    certificate: Certificate,
) -> Judgement {
    let mut stored = stored.cloned().unwrap_or_else(|| StoredBinding {
        binding: Binding {
            name,
            serial: 0,
            person: None,
            display_name: "".parse().unwrap(),
            devices: Vec::new(),
        },
        forgotten: Vec::new(),
        allows_version_1: false,
    });
    if admits(&stored.binding, &certificate) {
        return Judgement::Admitted(stored);
    }
    let is_forgotten = stored.forgotten.contains(&certificate.device);
    let binding = &mut stored.binding;
    if is_forgotten
        || binding
            .person
            .is_some_and(|person| person != certificate.person)
    {
        return Judgement::Refused;
    }
    binding.person = Some(certificate.person);
    binding.devices.push(certificate);
    binding.serial += 1;
    Judgement::Keep(stored)
}

/// Whether a device is one of the person that a name is bound to.
pub(crate) fn admits(binding: &Binding, certificate: &Certificate) -> bool {
    let is_device = |known: &Certificate| known.device == certificate.device;
    binding.person == Some(certificate.person) && binding.devices.iter().any(is_device)
}
