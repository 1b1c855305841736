//! my_plugin.rs - a Gaussian policy whose mean is linear in observation and belief, trained by
//! REINFORCE with the batch's mean return as baseline.
//!
//! The contract is hunch/policy.h; `hunch check` judges it.  hunch.rs is that header in Rust.
//!
//! Source: Williams 1992, REINFORCE.
mod hunch;
use hunch::*;
use std::mem::size_of;
use std::ptr::null_mut;

/// The parameters, which the host fills in from a study: f64 or i64 all, in the order of the table.
#[repr(C)]
struct Params {
    lr: f64,
    gamma: f64,
    std: f64,
}
/// field, kind, name, unit, doc, default, low, high
static PARAMS: [HnParam; 3] = [
    param(0, HN_REAL, text!("lr"), text!(""), text!("Learning rate."), 0.01, 0.0, 10.0),
    param(1, HN_REAL, text!("gamma"), text!(""), text!("Discount factor per step."), 0.95, 0.0, 1.0),
    param(2, HN_REAL, text!("std"), text!(""), text!("Standard deviation of an action around its mean."), 0.5, 1e-3, 10.0),
];
/// What an update reports, by number; averaged over the calls of an iteration.
static METRICS: [HnColumn; 3] = [
    HnColumn {
        name: text!("return_mean"),
        unit: text!(""),
        doc: text!("Discounted return to go, mean over the batch."),
        fold: HN_MEAN,
    },
    HnColumn {
        name: text!("grad_norm"),
        unit: text!(""),
        doc: text!("Norm of the gradient of the mean return."),
        fold: HN_MEAN,
    },
    END,
];
const RETURN_MEAN: i32 = 0;
const GRAD_NORM: i32 = 1;

/// The instance, zeroed by the host.  `create` and `learn` write to it; acting only reads it.  A policy
/// that remembers something of a row (a sample that is held) has row memory: spec.row_size.
#[repr(C)]
struct Linear {
    p: *const Params,
    host: *const HnHost,
    obs: i64,
    belief: i64,
    action: i64,
    inputs: i64,        // obs + belief + 1
    w: *mut f32,        // [action, inputs]
    gradient: *mut f32, // [action, inputs]
}

/// Reads what observations, beliefs and actions are; takes memory, here or never.  Random initial
/// weights are drawn from spec.rng.
unsafe extern "C" fn create(
    this: *mut c_void, host: *const HnHost, params: *const c_void, spec: *mut HnPolicySpec,
) -> HnStatus {
    let (m, spec) = (&mut *(this as *mut Linear), &*spec);
    m.p = params as *const Params;
    m.host = host;
    if spec.action_dim < 1 {
        return ((*host).fail)(host, HN_E_SHAPE, text!("needs continuous actions"));
    }
    m.obs = spec.obs_dim;
    m.belief = spec.belief_dim;
    m.action = spec.action_dim;
    m.inputs = m.obs + m.belief + 1;
    // kept arrays are saved and restored by the host; alloc is for what can be computed anew
    let w = HnArray {
        struct_size: size_of::<HnArray>() as u32,
        name: text!("w"),
        role: HN_WEIGHT,
        r#type: HN_F32,
        rank: 2,
        dim: [m.action, m.inputs, 0, 0],
        grad: null_mut(),
        used: null_mut(),
        low: 0,
        end: 0,
    };
    m.w = ((*host).keep)(host, &w) as *mut f32;
    m.gradient = ((*host).alloc)(host, m.action * m.inputs, size_of::<f32>()) as *mut f32;
    HN_OK
}

impl Linear {
    /// What the policy sees of element `at`: observation and belief, of several samples the first.
    unsafe fn seen<'a>(&self, obs: *const f32, belief: *const f32, samples: i64, at: i64) -> (&'a [f32], &'a [f32]) {
        let belief_at = at * samples.max(1) * self.belief;
        (
            array(obs.offset((at * self.obs) as isize), self.obs),
            array(belief.offset(belief_at as isize), self.belief),
        )
    }
    unsafe fn mean_action(&self, seen: (&[f32], &[f32]), a: i64) -> f64 {
        let w = array(self.w.offset((a * self.inputs) as isize), self.inputs);
        let inputs = seen.0.iter().chain(seen.1).chain(&[1.0]);
        w.iter().zip(inputs).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum()
    }
}

/// Several calls run at once, each on rows of its own: the instance is only read, and a row's action
/// must not depend on the other rows.  All randomness comes from the row's own stream.
unsafe extern "C" fn act(this: *mut c_void, batch: *mut HnActBatch) -> HnStatus {
    let (m, b) = (&*(this as *const Linear), &*batch);
    for i in 0..b.rows {
        let seen = m.seen(b.obs, b.belief, b.samples, i);
        for a in 0..m.action {
            let noise = if b.rng.is_null() { 0.0 } else { (*m.p).std * (*b.rng.offset(i as isize)).normal() };
            let mean = m.mean_action(seen, a); // alone: the greedy action, where there is no stream
            *b.action.offset((i * m.action + a) as isize) = (mean + noise) as f32;
        }
    }
    HN_OK
}

/// Discounted returns to go [T, B], which end with their task, their mean and deviation.
unsafe fn returns_of<'a>(m: &Linear, h: &HnHistory) -> (&'a [f64], f64, f64) {
    let n = h.steps * h.rows;
    let to_go = array_mut(((*m.host).scratch)(m.host, n, size_of::<f64>()) as *mut f64, n);
    let (mut sum, mut squares) = (0.0, 0.0);
    for at in (0..n).rev() {
        let next = at + h.rows;
        let ends = next >= n || *h.begin.offset(next as isize) == HN_NEW_TASK;
        let later = if ends { 0.0 } else { to_go[next as usize] };
        let now = f64::from(*h.reward.offset(at as isize)) + (*m.p).gamma * later;
        to_go[at as usize] = now;
        sum += now;
        squares += now * now;
    }
    let mean = sum / n as f64;
    (to_go, mean, (squares / n as f64 - mean * mean).max(0.0).sqrt())
}

/// The whole update of an iteration.  Windows are dense here: [T, B] steps, beliefs as acted on.
unsafe extern "C" fn learn(this: *mut c_void, batch: *const HnTrainBatch) -> HnStatus {
    let m = &*(this as *const Linear);
    let h = &**(*batch).phase;
    let n = h.steps * h.rows;
    let (to_go, mean, stddev) = returns_of(m, h);
    let w = array_mut(m.w, m.action * m.inputs);
    let gradient = array_mut(m.gradient, m.action * m.inputs);
    gradient.fill(0.0);
    for at in 0..n {
        let seen = m.seen(h.obs, h.belief, h.samples, at);
        let advantage = (to_go[at as usize] - mean) / (stddev + 1e-8);
        for a in 0..m.action {
            let action = f64::from(*h.action.offset((at * m.action + a) as isize));
            let d = (action - m.mean_action(seen, a)) / ((*m.p).std * (*m.p).std);
            let row = &mut gradient[(a * m.inputs) as usize..((a + 1) * m.inputs) as usize];
            for (g, x) in row.iter_mut().zip(seen.0.iter().chain(seen.1).chain(&[1.0])) {
                *g += (advantage * d * f64::from(*x)) as f32; // advantage times grad log pi(action)
            }
        }
    }
    let mut norm2 = 0.0;
    for (w, g) in w.iter_mut().zip(gradient.iter()) {
        let g = f64::from(*g) / n as f64;
        norm2 += g * g;
        *w += ((*m.p).lr * g) as f32;
    }
    ((*m.host).metric)(m.host, RETURN_MEAN, mean);
    ((*m.host).metric)(m.host, GRAD_NORM, f64::sqrt(norm2));
    HN_OK
}

static METHODS: HnPolicy = HnPolicy { create: Some(create), act: Some(act), learn: Some(learn), ..POLICY };
/// The name is the file's: my_plugin.so, `plugin: my_plugin` in a study.
#[no_mangle]
#[allow(non_upper_case_globals)]
pub static my_plugin_LTX_hn_plugin: HnPlugin = HnPlugin {
    kind: HN_KIND_POLICY,
    name: text!("my_plugin"),
    summary: text!("Linear Gaussian policy trained by REINFORCE."),
    source: text!("Williams 1992"),
    version: text!("1.0"),
    license: text!("MIT"),
    methods: &METHODS as *const HnPolicy as *const c_void,
    self_size: size_of::<Linear>(),
    params_size: size_of::<Params>(),
    params: &PARAMS as *const HnParam,
    param_count: PARAMS.len() as u32,
    metrics: &METRICS as *const HnColumn,
    ..PLUGIN
};
