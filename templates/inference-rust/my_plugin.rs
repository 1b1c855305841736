//! my_plugin.rs - the exact posterior over what each action earns in this task: rewards of an action
//! have a mean of their own, and Gaussian noise of known variance.  Where actions are continuous, all
//! count as one.
//!
//! The contract is hunch/inference.h; `hunch check` judges it.  hunch.rs is that header in Rust.
//!
//! Source: the conjugate normal model, e.g. Murphy 2007, section 3.
mod hunch;
use hunch::*;
use std::mem::size_of;
use std::ptr::null_mut;

/// The parameters, which the host fills in from a study: f64 or i64 all, in the order of the table.
#[repr(C)]
struct Params {
    prior_mean: f64,
    prior_variance: f64,
    noise_variance: f64,
}
/// field, kind, name, unit, doc, default, low, high
static PARAMS: [HnParam; 3] = [
    param(0, HN_REAL, text!("prior_mean"), text!(""), text!("Prior mean of what an action earns."), 0.0, -1e9, 1e9),
    param(1, HN_REAL, text!("prior_variance"), text!(""), text!("Prior variance of what an action earns."), 1.0, 1e-9, 1e9),
    param(2, HN_REAL, text!("noise_variance"), text!(""), text!("Variance of a reward around that mean."), 1.0, 1e-9, 1e9),
];
/// What is reported of each time; reports know these names.
static INFO: [HnColumn; 3] = [
    HnColumn {
        name: text!("log_predictive"),
        unit: text!("nats"),
        doc: text!("Log-density of the last reward under the belief before."),
        fold: HN_MEAN,
    },
    HnColumn { name: text!("entropy"), unit: text!("nats"), doc: text!("Entropy of the belief."), fold: HN_LAST },
    END,
];

const LOG_2PI: f64 = 1.8378770664093453;

/// Row memory: what one row has seen of its task, one of these for each action.  Plain bytes without
/// pointers, which the host zeroes when a task begins, copies and saves.
#[repr(C)]
struct Evidence {
    count: f64, // rewards of this action
    sum: f64,
}

/// The instance, zeroed by the host.  It is shared by all rows, so `infer` only reads it.
#[repr(C)]
struct Conjugate {
    p: *const Params,
    actions: i64,
}

/// Reads what the environment is, says what a belief is.
unsafe extern "C" fn create(
    this: *mut c_void, _host: *const HnHost, params: *const c_void, spec: *mut HnBeliefSpec,
) -> HnStatus {
    let spec = &mut *spec;
    let actions = spec.action_count.max(1);
    *(this as *mut Conjugate) = Conjugate { p: params as *const Params, actions };
    spec.belief_dim = 2 * actions; // means, log-variances
    spec.latent_dim = actions; // a sample replaces the means
    spec.row_size = actions as usize * size_of::<Evidence>();
    HN_OK
}

/// Mean and variance of what an action earns.
fn posterior(p: &Params, e: &Evidence) -> (f64, f64) {
    let variance = 1.0 / (1.0 / p.prior_variance + e.count / p.noise_variance);
    (variance * (p.prior_mean / p.prior_variance + e.sum / p.noise_variance), variance)
}

/// Conditions on a reward; returns its log-density under the belief before it.
fn condition(p: &Params, e: &mut Evidence, reward: f64) -> f64 {
    let (mean, variance) = posterior(p, e);
    e.count += 1.0;
    e.sum += reward;
    let (v, d) = (variance + p.noise_variance, reward - mean);
    -0.5 * (LOG_2PI + v.ln() + d * d / v)
}

/// Writes a belief, or one sample of it where there is a random stream; returns its entropy.
fn write_belief(p: &Params, row: &[Evidence], mut rng: Option<&mut HnRng>, belief: &mut [f32]) -> f64 {
    let mut entropy = 0.0;
    for (a, e) in row.iter().enumerate() {
        let (mean, variance) = posterior(p, e);
        let noise = rng.as_mut().map_or(0.0, |rng| variance.sqrt() * rng.normal());
        belief[a] = (mean + noise) as f32;
        belief[row.len() + a] = variance.ln() as f32;
        entropy += 0.5 * (LOG_2PI + 1.0 + variance.ln());
    }
    entropy
}

/// One function for acting (T = 0) and for whole windows, which must agree to the bit.  At each time:
/// the prior where a task begins, else condition on the step before; then write the belief.
unsafe extern "C" fn infer(this: *mut c_void, update: *mut HnBeliefUpdate) -> HnStatus {
    let (m, q) = (&*(this as *const Conjugate), &*update);
    let (p, h) = (&*m.p, &*q.history);
    let draws = q.samples.max(1);
    for t in 0..=h.steps {
        for i in 0..h.rows {
            let first = (q.state as *mut Evidence).offset((i * m.actions) as isize);
            let row = array_mut(first, m.actions);
            let (before, out) = ((t - 1) * h.stride + i, t * h.rows + i);
            let (mut log_predictive, mut entropy) = (f64::NAN, 0.0); // NaN: nothing to say
            if *h.begin.offset((t * h.stride + i) as isize) != HN_NEW_TASK {
                // else: the prior, in zeroed row memory
                let a = if m.actions > 1 { *h.action_index.offset(before as isize) } else { 0 };
                let reward = f64::from(*h.reward.offset(before as isize));
                log_predictive = condition(p, &mut row[a as usize], reward);
            }
            for s in 0..draws {
                let rng = if q.samples > 0 { q.rng.offset(i as isize) } else { null_mut() };
                let belief = q.belief.offset(((out * draws + s) * 2 * m.actions) as isize);
                entropy = write_belief(p, row, rng.as_mut(), array_mut(belief, 2 * m.actions));
            }
            if !q.info.is_null() {
                let info = array_mut(q.info.offset((2 * out) as isize), 2);
                info[0] = log_predictive as f32;
                info[1] = entropy as f32;
            }
        }
    }
    HN_OK
}

static METHODS: HnInference = HnInference { create: Some(create), infer: Some(infer), ..INFERENCE };
/// The name is the file's: my_plugin.so, `plugin: my_plugin` in a study.
#[no_mangle]
#[allow(non_upper_case_globals)]
pub static my_plugin_LTX_hn_plugin: HnPlugin = HnPlugin {
    kind: HN_KIND_INFERENCE,
    name: text!("my_plugin"),
    summary: text!("Exact posterior over what each action earns."),
    source: text!("Murphy 2007, Conjugate Bayesian analysis of the Gaussian distribution"),
    version: text!("1.0"),
    license: text!("MIT"),
    methods: &METHODS as *const HnInference as *const c_void,
    self_size: size_of::<Conjugate>(),
    params_size: size_of::<Params>(),
    params: &PARAMS as *const HnParam,
    param_count: PARAMS.len() as u32,
    info: &INFO as *const HnColumn,
    ..PLUGIN
};
