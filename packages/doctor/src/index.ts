export { CapacityPlan, type CapacityWish, USUAL_WISH } from "./capacity/capacity-plan.js";
export {
  readable,
  SCENARIO_HEADS,
  scenarioCells,
  scenariosOf,
} from "./capacity/capacity-text.js";
export {
  BENCH_FIGURES,
  MEASURED_COSTS,
  type MeasuredCosts,
} from "./capacity/measured-costs.js";
export { DOCTOR_OPTION_GROUPS } from "./config.js";
export { checkLimits } from "./limit-checks.js";
