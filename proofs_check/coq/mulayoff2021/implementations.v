(* Mulayoff, Michaeli and Soudry 2021, eq 37: the sharpest mode of every implementation (M14); and Delta (M18.b). *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums two_layer mulayoff2021.stability mulayoff2021.smooth mulayoff2021.switching.
Import ListNotations.
Open Scope R_scope.

(* The mode in which no toggling unit is active is a mode, and its Hessian that of smooth.v. *)
Definition all_inactive (net : network) : nat -> R -> bool := mode_of net (fun _ => 0).

Lemma inactive_gradient net t p : mode_gradient net (all_inactive net) t p = gradient net t p.
Proof.
  assert (forall i, all_inactive net i t = if Rlt_dec 0 (pre_activation (unit net i) t) then true else false) as off.
  { intros i. unfold all_inactive, mode_of. destruct (Rlt_dec 0 (pre_activation (unit net i) t)); [easy|].
    destruct (Rlt_dec (pre_activation (unit net i) t) 0); [easy|].
    destruct (Rlt_dec 0 (t * 0 + 0)); [lra|easy]. }
  destruct p as [i|i|i|]; simpl; try easy; rewrite off; unfold active, relu;
    destruct (Rlt_dec 0 (pre_activation (unit net i) t)); try ring.
  - rewrite Rmax_right; lra.
  - rewrite Rmax_left; lra.
Qed.

(* mulayoff2021, eq 37 (M14): lambda bounds the spectra of all modes, toggling or not. *)
Theorem sharpest_mode_lower_bound (f : R -> R) (net : network) (x knots : list R) (jumps : R -> R) (lambda : R) :
  x <> [] -> (forall t, output net t = f t) ->
  NoDup knots -> (forall c, In c knots -> kink f c (jumps c)) ->
  (forall m, is_mode net x m -> lambda_max_at_most (parameters net) lambda (hessian_on net x m)) ->
  1 + 2 * sum (fun c => Rabs (jumps c) * g x c) knots <= lambda.
Proof.
  intros nonempty implements distinct kinks flat.
  apply (sharpness_lower_bound f net x knots jumps lambda); try easy.
  intros v. specialize (flat (all_inactive net) (mode_of_is_mode net x _) v).
  replace (quadratic (parameters net) (hessian net x) v)
    with (quadratic (parameters net) (hessian_on net x (all_inactive net)) v); [easy|].
  unfold quadratic, dot, apply. apply sum_eq. intros p _. f_equal. apply sum_eq. intros q _. f_equal.
  unfold hessian_on, hessian. apply mean_eq. intros t _. now rewrite !inactive_gradient.
Qed.

(* mulayoff2021, after Theorem 2 (M18.b): Delta of eq 25, U = C^2 (1 + k - L)/n. *)
Theorem delta_vanishes_with_its_share (C s n eta : R) :
  0 < C -> 0 < s -> 0 < n -> 0 < eta ->
  let U := C ^ 2 * s / n in
  3 / 2 * U + sqrt (3 / 4 * U * (3 * U + 2 / eta)) <= 3 * U + sqrt (3 * U / (2 * eta)).
Proof.
  intros C_pos s_pos n_pos eta_pos U.
  assert (0 < U) as U_pos.
  { unfold U. apply Rdiv_lt_0_compat; [|easy]. apply Rmult_lt_0_compat; [|easy]. now apply pow_lt. }
  assert (0 < 3 * U / (2 * eta)) by (apply Rdiv_lt_0_compat; lra).
  set (r := sqrt (3 * U / (2 * eta))). assert (0 <= r) by apply sqrt_pos.
  assert (r * r = 3 * U / (2 * eta)) as square by (apply sqrt_sqrt; lra).
  enough (sqrt (3 / 4 * U * (3 * U + 2 / eta)) <= 3 / 2 * U + r) by lra.
  rewrite <- (sqrt_square (3 / 2 * U + r)) by lra. apply sqrt_le_1_alt.
  replace (3 / 4 * U * (3 * U + 2 / eta)) with (3 / 2 * U * (3 / 2 * U) + 3 * U / (2 * eta)) by (field; lra).
  rewrite <- square. nra.
Qed.
