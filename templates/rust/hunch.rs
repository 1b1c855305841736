//! hunch.rs - the plugin ABI of hunch, of the version HN_ABI, for Rust: what hunch/plugin.h, env.h, inference.h and
//! policy.h declare, where the comments of every field and call stand, and what rng.h and tasks.h
//! do.  Written for rustc 1.63 and later.
#![allow(dead_code)]
use std::mem::size_of;
pub use std::os::raw::{c_char, c_void};
use std::ptr::null;

pub const HN_ABI: u32 = 1 << 16 | 3; // major << 16 | minor
pub type HnStatus = i32;
pub const HN_OK: HnStatus = 0;
pub const HN_E_PARAM: HnStatus = 1;
pub const HN_E_SHAPE: HnStatus = 2;
pub const HN_E_NUMERIC: HnStatus = 3;
pub const HN_E_IO: HnStatus = 4;
pub const HN_E_UNSUPPORTED: HnStatus = 5;
pub const HN_KEEP: u8 = 0;
pub const HN_NEW_EPISODE: u8 = 1;
pub const HN_NEW_TASK: u8 = 2;
pub const HN_KIND_ENV: i32 = 1;
pub const HN_KIND_INFERENCE: i32 = 2;
pub const HN_KIND_POLICY: i32 = 3;
pub const HN_REAL: i32 = 1;
pub const HN_INT: i32 = 2;
pub const HN_MEAN: i32 = 1;
pub const HN_SUM: i32 = 2;
pub const HN_MAX: i32 = 3;
pub const HN_LAST: i32 = 4;
pub const HN_WEIGHT: i32 = 1;
pub const HN_LEARNER: i32 = 2;
pub const HN_REPLAY: i32 = 3;
pub const HN_F32: i32 = 1;
pub const HN_F64: i32 = 2;

/// A text as C has it.
#[macro_export]
macro_rules! text {
    ($text:expr) => {
        concat!($text, "\0").as_ptr() as *const c_char
    };
}

/// A C array of n elements, which may be absent where n is 0.  Safe to use where the contract says
/// that the array has as many.
pub unsafe fn array<'a, T>(data: *const T, n: i64) -> &'a [T] {
    if n == 0 { &[] } else { std::slice::from_raw_parts(data, n as usize) }
}
pub unsafe fn array_mut<'a, T>(data: *mut T, n: i64) -> &'a mut [T] {
    if n == 0 { &mut [] } else { std::slice::from_raw_parts_mut(data, n as usize) }
}

// ---- random numbers: Philox4x32-10, to the bit as in rng.h ----

#[repr(C)]
#[derive(Clone, Copy)]
pub struct HnRng {
    pub key: [u32; 2],
    pub counter: [u32; 4],
    pub word: [u32; 4],
    pub used: u32,
}

impl HnRng {
    pub fn new(seed: u64, stream: u64) -> HnRng {
        HnRng {
            key: [seed as u32, (seed >> 32) as u32],
            counter: [0, 0, stream as u32, (stream >> 32) as u32],
            word: [0; 4],
            used: 4,
        }
    }
    pub fn u32(&mut self) -> u32 {
        if self.used == 4 {
            let (mut c, mut k) = (self.counter, self.key);
            for _ in 0..10 {
                let (p0, p1) = (0xD2511F53 * u64::from(c[0]), 0xCD9E8D57 * u64::from(c[2]));
                c = [(p1 >> 32) as u32 ^ c[1] ^ k[0], p1 as u32, (p0 >> 32) as u32 ^ c[3] ^ k[1], p0 as u32];
                k = [k[0].wrapping_add(0x9E3779B9), k[1].wrapping_add(0xBB67AE85)];
            }
            self.word = c;
            self.counter[0] = self.counter[0].wrapping_add(1);
            if self.counter[0] == 0 {
                self.counter[1] = self.counter[1].wrapping_add(1);
            }
            self.used = 0;
        }
        self.used += 1;
        self.word[self.used as usize - 1]
    }
    pub fn u64(&mut self) -> u64 {
        let high = u64::from(self.u32());
        high << 32 | u64::from(self.u32())
    }
    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.u64() >> 11) as f64 / 9007199254740992.0)
    }
    /// Uniform in 0 .. n-1.
    pub fn below(&mut self, n: i64) -> i64 {
        (self.uniform(0.0, 1.0) * n as f64) as i64
    }
    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform(0.0, 1.0)).ln()).sqrt();
        radius * (6.283185307179586 * self.uniform(0.0, 1.0)).cos()
    }
}

// ---- what every plugin has ----

#[repr(C)]
pub struct HnArray {
    pub struct_size: u32,
    pub name: *const c_char,
    pub role: i32,
    pub r#type: i32,
    pub rank: i64,
    pub dim: [i64; 4],
    pub grad: *mut *mut f32,
    pub used: *mut i64,
    pub low: i64,
    pub end: i64,
}

pub type HnTask = unsafe extern "C" fn(arg: *mut c_void, i: i64) -> HnStatus;
#[repr(C)]
pub struct HnHost {
    pub struct_size: u32,
    pub abi: u32,
    pub r#impl: *mut c_void,
    pub alloc: unsafe extern "C" fn(*const HnHost, i64, usize) -> *mut c_void,
    pub keep: unsafe extern "C" fn(*const HnHost, *const HnArray) -> *mut c_void,
    pub scratch: unsafe extern "C" fn(*const HnHost, i64, usize) -> *mut c_void,
    pub parallel: unsafe extern "C" fn(*const HnHost, i64, HnTask, *mut c_void) -> HnStatus,
    pub fail: unsafe extern "C" fn(*const HnHost, HnStatus, *const c_char, ...) -> HnStatus,
    pub log: unsafe extern "C" fn(*const HnHost, *const c_char, ...),
    pub metric: unsafe extern "C" fn(*const HnHost, i32, f64),
}

#[repr(C)]
pub struct HnParam {
    pub name: *const c_char,
    pub unit: *const c_char,
    pub doc: *const c_char,
    pub kind: i32,
    pub offset: u32,
    pub preset: f64,
    pub low: f64,
    pub high: f64,
    pub text: *const c_char,
    pub choices: *const c_char,
}
/// A parameter that is field `index` of the plugin's struct of parameters, all of whose fields are
/// f64 (HN_REAL) or i64 (HN_INT).
pub const fn param(
    index: usize, kind: i32, name: *const c_char, unit: *const c_char, doc: *const c_char,
    preset: f64, low: f64, high: f64,
) -> HnParam {
    let offset = (index * size_of::<f64>()) as u32;
    HnParam { name, unit, doc, kind, offset, preset, low, high, text: null(), choices: null() }
}

#[repr(C)]
pub struct HnColumn {
    pub name: *const c_char,
    pub unit: *const c_char,
    pub doc: *const c_char,
    pub fold: i32,
}
/// The end of a table of columns.
pub const END: HnColumn = HnColumn { name: null(), unit: null(), doc: null(), fold: 0 };

#[repr(C)]
pub struct HnPlugin {
    pub struct_size: u32,
    pub abi: u32,
    pub kind: i32,
    pub name: *const c_char,
    pub summary: *const c_char,
    pub source: *const c_char,
    pub version: *const c_char,
    pub license: *const c_char,
    pub methods: *const c_void,
    pub self_size: usize,
    pub params_size: usize,
    pub params: *const HnParam,
    pub param_count: u32,
    pub param_stride: u32,
    pub flags: u32,
    pub info: *const HnColumn,
    pub metrics: *const HnColumn,
    pub renamed: *const c_char,
    pub kit_layout: u64,
    pub column_stride: u32,
    pub history_size: u32,
    pub env_batch_size: u32,
    pub drafts: u32,
}
/// What a plugin that says nothing else is.
pub const PLUGIN: HnPlugin = HnPlugin {
    struct_size: size_of::<HnPlugin>() as u32, abi: HN_ABI, kind: 0, name: null(), summary: null(),
    source: null(), version: null(), license: null(), methods: null(), self_size: 0,
    params_size: 0, params: null(), param_count: 0, param_stride: size_of::<HnParam>() as u32,
    flags: 0, info: null(), metrics: null(), renamed: null(), kit_layout: 0,
    column_stride: size_of::<HnColumn>() as u32, history_size: size_of::<HnHistory>() as u32,
    env_batch_size: size_of::<HnEnvBatch>() as u32, drafts: 0,
};
// Constants, which nobody writes to.
unsafe impl Sync for HnParam {}
unsafe impl Sync for HnColumn {}
unsafe impl Sync for HnPlugin {}

#[repr(C)]
pub struct HnHistory {
    pub struct_size: u32,
    pub steps: i64,
    pub rows: i64,
    pub stride: i64,
    pub begin: *const u8,
    pub obs: *const f32,
    pub action: *const f32,
    pub action_index: *const i32,
    pub reward: *const f32,
    pub true_reward: *const f32,
    pub next_obs: *const f32,
    pub terminated: *const u8,
    pub truncated: *const u8,
    pub task: *const f32,
    pub state: *const c_void,
    pub samples: i64,
    pub belief: *const f32,
    pub aux: *const f32,
    pub length: *const i64,
}

#[repr(C)]
pub struct HnTrainBatch {
    pub struct_size: u32,
    pub r#impl: *mut c_void,
    pub iteration: i64,
    pub frames: i64,
    pub frames_total: unsafe extern "C" fn(*const HnTrainBatch) -> i64,
    pub rng: *mut HnRng,
    pub phases: i64,
    pub phase: *const *const HnHistory,
    pub rows: unsafe extern "C" fn(*const HnTrainBatch, i64, i64, *const i64) -> *const HnHistory,
    pub infer: Option<unsafe extern "C" fn(*const HnTrainBatch, *const HnHistory, i64, *mut f32) -> HnStatus>,
    pub backward: Option<unsafe extern "C" fn(*const HnTrainBatch, *const f32, *mut f64) -> HnStatus>,
    pub step: Option<unsafe extern "C" fn(*const HnTrainBatch, f64, f64) -> HnStatus>,
}

// ---- environments ----

#[repr(C)]
pub struct HnEnvSpec {
    pub struct_size: u32,
    pub rows: i64,
    pub obs_dim: i64,
    pub action_dim: i64,
    pub action_count: i64,
    pub task_dim: i64,
    pub horizon: i64,
    pub row_size: usize,
    pub splits: *const c_char,
    pub step_seconds: f64,
    pub inner: *const HnInner,
}

#[repr(C)]
pub struct HnEnvBatch {
    pub struct_size: u32,
    pub rows: i64,
    pub first: i64,
    pub state: *mut c_void,
    pub rng: *mut HnRng,
    pub begin: *const u8,
    pub split: i64,
    pub task_index: *mut i64,
    pub action: *const f32,
    pub chosen: *const f32,
    pub action_index: *const i32,
    pub obs: *mut f32,
    pub reward: *mut f32,
    pub terminated: *mut u8,
    pub truncated: *mut u8,
    pub task: *mut f32,
    pub info: *mut f32,
    pub inner: *mut HnEnvBatch,
}

#[repr(C)]
pub struct HnEnv {
    pub struct_size: u32,
    pub create: Option<unsafe extern "C" fn(*mut c_void, *const HnHost, *const c_void, *mut HnEnvSpec) -> HnStatus>,
    pub reset: Option<unsafe extern "C" fn(*mut c_void, *mut HnEnvBatch) -> HnStatus>,
    pub step: Option<unsafe extern "C" fn(*mut c_void, *mut HnEnvBatch) -> HnStatus>,
    pub task_count: Option<unsafe extern "C" fn(*mut c_void, i64) -> i64>,
    pub task_name: Option<unsafe extern "C" fn(*mut c_void, i64, i64) -> *const c_char>,
    pub render: Option<unsafe extern "C" fn(*mut c_void, *const c_void, i64, i64, *mut u8) -> HnStatus>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    pub query: Option<unsafe extern "C" fn(*mut c_void, *const c_void, i64, *const f32, *mut f32) -> HnStatus>,
}
pub const ENV: HnEnv = HnEnv {
    struct_size: size_of::<HnEnv>() as u32, create: None, reset: None, step: None,
    task_count: None, task_name: None, render: None, destroy: None, query: None,
};

#[repr(C)]
pub struct HnInner {
    pub struct_size: u32,
    pub env: *const HnEnv,
    pub self_: *mut c_void,
    pub spec: *const HnEnvSpec,
}

/// As hn_task_settle of tasks.h: settles the number of the task that row i begins, of which the split
/// has `count`.
pub unsafe fn task_settle(host: *const HnHost, b: &HnEnvBatch, i: usize, count: i64) -> HnStatus {
    let k = &mut *b.task_index.add(i);
    if *k < 0 && count > 0 {
        *k = (*b.rng.add(i)).below(count);
    }
    if *k < count || *k < 0 {
        return HN_OK;
    }
    ((*host).fail)(host, HN_E_PARAM, text!("no task %lld: there are %lld, from 0"), *k, count)
}
/// As hn_task_stream: the stream to draw the task of row i from.
pub unsafe fn task_stream<'a>(b: &HnEnvBatch, i: usize, own: &'a mut HnRng) -> &'a mut HnRng {
    let k = *b.task_index.add(i);
    if k < 0 {
        return &mut *b.rng.add(i);
    }
    *own = HnRng::new(0x7461736b206e6f2e, (b.split as u64) << 40 | k as u64);
    own
}

// ---- inference methods ----

#[repr(C)]
pub struct HnBeliefSpec {
    pub struct_size: u32,
    pub obs_dim: i64,
    pub action_dim: i64,
    pub action_count: i64,
    pub task_dim: i64,
    pub horizon: i64,
    pub lifetime: i64,
    pub episodes: i64,
    pub rows: i64,
    pub steps: i64,
    pub rng: *mut HnRng,
    pub belief_dim: i64,
    pub latent_dim: i64,
    pub row_size: usize,
    pub refresh: bool,
    pub map_width: i64,
    pub map_height: i64,
}

#[repr(C)]
pub struct HnBeliefUpdate {
    pub struct_size: u32,
    pub history: *const HnHistory,
    pub state: *mut c_void,
    pub samples: i64,
    pub rng: *mut HnRng,
    pub belief: *mut f32,
    pub info: *mut f32,
    pub loss: *mut f64,
}

#[repr(C)]
pub struct HnInference {
    pub struct_size: u32,
    pub create: Option<unsafe extern "C" fn(*mut c_void, *const HnHost, *const c_void, *mut HnBeliefSpec) -> HnStatus>,
    pub infer: Option<unsafe extern "C" fn(*mut c_void, *mut HnBeliefUpdate) -> HnStatus>,
    pub forward: Option<unsafe extern "C" fn(*mut c_void, *mut HnBeliefUpdate) -> HnStatus>,
    pub backward: Option<unsafe extern "C" fn(*mut c_void, *const HnBeliefUpdate, *const f32, *mut f64) -> HnStatus>,
    pub step: Option<unsafe extern "C" fn(*mut c_void, f64, f64) -> HnStatus>,
    pub learn: Option<unsafe extern "C" fn(*mut c_void, *const HnTrainBatch) -> HnStatus>,
    pub relabel: Option<unsafe extern "C" fn(*mut c_void, *const HnHistory, *mut c_void, *mut HnRng, *mut f32) -> HnStatus>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    pub map: Option<unsafe extern "C" fn(*mut c_void, *const f32, *mut f32) -> HnStatus>,
    pub predict: Option<
        unsafe extern "C" fn(*mut c_void, *const f32, i64, i64, *const f32, *mut f32, *mut f32, *mut f32) -> HnStatus,
    >,
}
pub const INFERENCE: HnInference = HnInference {
    struct_size: size_of::<HnInference>() as u32, create: None, infer: None, forward: None,
    backward: None, step: None, learn: None, relabel: None, destroy: None, map: None, predict: None,
};

// ---- policy learners ----

#[repr(C)]
pub struct HnPolicySpec {
    pub struct_size: u32,
    pub obs_dim: i64,
    pub action_dim: i64,
    pub action_count: i64,
    pub task_dim: i64,
    pub horizon: i64,
    pub lifetime: i64,
    pub belief_dim: i64,
    pub latent_dim: i64,
    pub samples: i64,
    pub rows: i64,
    pub steps: i64,
    pub rng: *mut HnRng,
    pub aux_dim: i64,
    pub row_size: usize,
    pub phases: i64,
    pub trains_inference: bool,
}

#[repr(C)]
pub struct HnActBatch {
    pub struct_size: u32,
    pub rows: i64,
    pub samples: i64,
    pub begin: *const u8,
    pub episode_step: *const i64,
    pub trial_step: *const i64,
    pub reward: *const f32,
    pub obs: *const f32,
    pub belief: *const f32,
    pub state: *mut c_void,
    pub rng: *mut HnRng,
    pub action: *mut f32,
    pub action_index: *mut i32,
    pub aux: *mut f32,
    pub info: *mut f32,
}

#[repr(C)]
pub struct HnPolicy {
    pub struct_size: u32,
    pub create: Option<unsafe extern "C" fn(*mut c_void, *const HnHost, *const c_void, *mut HnPolicySpec) -> HnStatus>,
    pub act: Option<unsafe extern "C" fn(*mut c_void, *mut HnActBatch) -> HnStatus>,
    pub adapt: Option<unsafe extern "C" fn(*mut c_void, *const HnHistory, *mut c_void) -> HnStatus>,
    pub learn: Option<unsafe extern "C" fn(*mut c_void, *const HnTrainBatch) -> HnStatus>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    pub divergence:
        Option<unsafe extern "C" fn(*mut c_void, i64, *const f32, *const f32, *const f32, i64, *mut f32) -> HnStatus>,
}
pub const POLICY: HnPolicy = HnPolicy {
    struct_size: size_of::<HnPolicy>() as u32, create: None, act: None, adapt: None, learn: None,
    destroy: None, divergence: None,
};
