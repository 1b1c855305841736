//! my_plugin.rs - a point on a line must find a place that it is not shown: the place is the hidden
//! task, and the rewards tell how far it is.
//!
//! The contract is hunch/env.h; `hunch check` judges it.  hunch.rs is that header in Rust.
mod hunch;
use hunch::*;
use std::mem::size_of;

/// The parameters, which the host fills in from a study: f64 or i64 all, in the order of the table.
#[repr(C)]
struct Params {
    place_low: f64,
    place_high: f64,
    step_size: f64,
    test_tasks: i64,
    horizon: i64,
}
/// field, kind, name, unit, doc, default, low, high
static PARAMS: [HnParam; 5] = [
    param(0, HN_REAL, text!("place_low"), text!("m"), text!("Lowest place that is drawn."), -1.0, -10.0, 10.0),
    param(1, HN_REAL, text!("place_high"), text!("m"), text!("Highest place that is drawn."), 1.0, -10.0, 10.0),
    param(2, HN_REAL, text!("step_size"), text!("m"), text!("How far the largest action moves the point."), 0.2, 0.001, 10.0),
    param(3, HN_INT, text!("test_tasks"), text!(""), text!("Number of fixed tasks of the split test."), 20.0, 1.0, 1e6),
    param(4, HN_INT, text!("horizon"), text!("step"), text!("Steps per episode, after which the host ends it."), 10.0, 1.0, 1e5),
];
/// What a step reports beside its reward, and how the steps of an episode become one number.
static INFO: [HnColumn; 2] = [
    HnColumn {
        name: text!("success"),
        unit: text!(""),
        doc: text!("Whether the point is within 0.1 m of the place."),
        fold: HN_LAST,
    },
    END,
];

const TEST: i64 = 1; // splits by number

/// Row memory: all that a row remembers.  Plain bytes without pointers, which the host zeroes when
/// a task begins, copies and saves.
#[repr(C)]
struct Row {
    place: f64, // m, the task
    x: f64,     // m
}

/// The instance, zeroed by the host.  It is shared by all rows, so only `create` may write to it.
#[repr(C)]
struct Line {
    p: *const Params,
    host: *const HnHost,
}

/// Training tasks are drawn without end, test tasks have numbers.
unsafe extern "C" fn task_count(this: *mut c_void, split: i64) -> i64 {
    let e = &*(this as *const Line);
    if split == TEST { (*e.p).test_tasks } else { 0 }
}

/// The host has checked each parameter against its range; here they are checked against each other.
/// Memory is taken here or never, by host.alloc.
unsafe extern "C" fn create(
    this: *mut c_void, host: *const HnHost, params: *const c_void, spec: *mut HnEnvSpec,
) -> HnStatus {
    let p = &*(params as *const Params);
    *(this as *mut Line) = Line { p, host };
    if p.place_low > p.place_high {
        let text = text!("place_low %g is above place_high %g");
        return ((*host).fail)(host, HN_E_PARAM, text, p.place_low, p.place_high);
    }
    let spec = &mut *spec;
    spec.obs_dim = 1;
    spec.action_dim = 1; // or action_count: discrete
    spec.task_dim = 1;
    spec.horizon = p.horizon;
    spec.row_size = size_of::<Row>();
    spec.splits = text!("train|test");
    HN_OK
}

/// Begins rows.  Rows that are kept must not be touched.  All randomness comes from the row's own
/// stream, so that its results depend neither on the other rows nor on who else runs.
unsafe extern "C" fn reset(this: *mut c_void, batch: *mut HnEnvBatch) -> HnStatus {
    let (e, b) = (&*(this as *const Line), &*batch);
    for i in 0..b.rows as usize {
        let begin = *b.begin.add(i);
        if begin == HN_KEEP {
            continue;
        }
        let row = &mut *(b.state as *mut Row).add(i);
        if begin == HN_NEW_TASK {
            // task k of a split is the same in every run
            let s = task_settle(e.host, b, i, task_count(this, b.split));
            if s != HN_OK {
                return s;
            }
            let mut own = HnRng::new(0, 0);
            row.place = task_stream(b, i, &mut own).uniform((*e.p).place_low, (*e.p).place_high);
        }
        row.x = 0.0; // an episode begins, of a new task or of the same
        *b.obs.add(i) = row.x as f32;
        *b.task.add(i) = row.place as f32; // for evaluation; hidden from the learner
    }
    HN_OK
}

/// One step of every row: writes obs, reward and info.  Actions are within [-1, 1].  Set
/// `terminated` in a true terminal state; never for the horizon, which is the host's.
unsafe extern "C" fn step(this: *mut c_void, batch: *mut HnEnvBatch) -> HnStatus {
    let (p, b) = (&*(*(this as *const Line)).p, &*batch);
    for i in 0..b.rows as usize {
        let row = &mut *(b.state as *mut Row).add(i);
        row.x += p.step_size * f64::from(*b.action.add(i));
        let distance = (row.x - row.place).abs();
        *b.obs.add(i) = row.x as f32;
        *b.reward.add(i) = -distance as f32;
        *b.info.add(i) = if distance < 0.1 { 1.0 } else { 0.0 };
    }
    HN_OK
}

static METHODS: HnEnv = HnEnv {
    create: Some(create),
    reset: Some(reset),
    step: Some(step),
    task_count: Some(task_count),
    ..ENV
};
/// The name is the file's: my_plugin.so, `plugin: my_plugin` in a study.
#[no_mangle]
#[allow(non_upper_case_globals)]
pub static my_plugin_LTX_hn_plugin: HnPlugin = HnPlugin {
    kind: HN_KIND_ENV,
    name: text!("my_plugin"),
    summary: text!("Point on a line that must find a hidden place."),
    source: text!("template of hunch"),
    version: text!("1.0"),
    license: text!("MIT"),
    methods: &METHODS as *const HnEnv as *const c_void,
    self_size: size_of::<Line>(),
    params_size: size_of::<Params>(),
    params: &PARAMS as *const HnParam,
    param_count: PARAMS.len() as u32,
    info: &INFO as *const HnColumn,
    ..PLUGIN
};
