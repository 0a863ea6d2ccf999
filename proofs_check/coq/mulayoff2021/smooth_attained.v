(* Mulayoff, Michaeli and Soudry 2021: Lemma 4 (M5) and Theorem 1 (M6) cannot be improved. Two data points, a balanced
   unit active on each: the assumptions of `sharpness_lower_bound` and `stable_curvature_bound` hold, with equality. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums two_layer mulayoff2021.stability mulayoff2021.smooth.
Import ListNotations.
Open Scope R_scope.

Definition two_points : list R := [-3/4; 3/4].
Definition two_units : network := Network [Neuron 1 (-1/4) (2/5); Neuron (-1) (-1/4) (2/5)] 0.
Definition two_data : list (R * R) := [(-3/4, 1/5); (3/4, 1/5)].

(* Decide every comparison of numbers in the goal. *)
Ltac decide_all :=
  repeat match goal with
  | |- context [Rlt_dec ?a ?b] => destruct (Rlt_dec a b); try lra
  | |- context [Req_EM_T ?a ?b] => destruct (Req_EM_T a b); try lra
  end.

Lemma two_units_off : off_the_data two_units two_points.
Proof. intros u t [<-|[<-|[]]] [<-|[<-|[]]]; unfold pre_activation; simpl; lra. Qed.

Lemma two_units_fit : interpolates two_units two_data.
Proof.
  intros point [<-|[<-|[]]]; unfold output, pre_activation, relu; simpl.
  - rewrite (Rmax_left 0 (1 * (-3/4) + -1/4)), (Rmax_right 0 (-1 * (-3/4) + -1/4)); lra.
  - rewrite (Rmax_right 0 (1 * (3/4) + -1/4)), (Rmax_left 0 (-1 * (3/4) + -1/4)); lra.
Qed.

Lemma two_units_jumps : jump two_units (1/4) = 2/5 /\ jump two_units (-1/4) = 2/5.
Proof.
  unfold jump, unit_jump, pre_activation. simpl. decide_all.
  rewrite (Rabs_left (-1)), Rabs_R1; lra.
Qed.

Lemma sqrt_of_mean : sqrt (1 + (3/4) ^ 2) = 5/4.
Proof. replace (1 + (3/4) ^ 2) with (5/4 * (5/4)) by field. apply sqrt_square. lra. Qed.

Lemma two_points_weight : g two_points (1/4) = 5/32 /\ g two_points (-1/4) = 5/32.
Proof.
  assert (sqrt (1 + (-3/4) ^ 2) = 5/4) as mirrored
    by (rewrite <- sqrt_of_mean; f_equal; field).
  assert (forall s, mean (fun a : R => a) [s] = s) as one by (intros; unfold mean; simpl; field).
  unfold g, g_minus, g_plus, below, above, two_points. simpl filter. decide_all.
  rewrite !one, sqrt_of_mean, mirrored. unfold mean, share. simpl.
  rewrite (Rmin_right _ _), Rmin_left by lra. split; field.
Qed.

Lemma two_units_curvature : sum (fun c => Rabs (jump two_units c) * g two_points c) [1/4; -1/4] = 1/8.
Proof.
  simpl. destruct two_units_jumps as [-> ->], two_points_weight as [-> ->]. rewrite Rabs_pos_eq; lra.
Qed.

Lemma two_units_sharpness : lambda_max_at_most (parameters two_units) (5/4) (hessian two_units two_points).
Proof.
  apply top_eigenvalue_in_data_space; [easy|lra|]. intros u. unfold dot, features. rewrite sum_parameters.
  unfold gradient, unit, active, pre_activation, relu. simpl. decide_all.
  rewrite (Rmax_left 0 (1 * (-3/4) + -1/4)), (Rmax_right 0 (-1 * (-3/4) + -1/4)) by lra.
  rewrite (Rmax_right 0 (1 * (3/4) + -1/4)), (Rmax_left 0 (-1 * (3/4) + -1/4)) by lra.
  pose proof (Rle_0_sqr (u 0%nat - u 1%nat)) as sq. unfold Rsqr in sq. lra.
Qed.

(* M5 with equality: lambda_max = 5/4 = 1 + 2/8. *)
Theorem sharpness_bound_attained :
  lambda_max_at_most (parameters two_units) (1 + 2 * (1/8)) (hessian two_units two_points) /\
  sum (fun c => Rabs (jump two_units c) * g two_points c) [1/4; -1/4] = 1/8.
Proof.
  split; [|apply two_units_curvature]. replace (1 + 2 * (1/8)) with (5/4) by field. apply two_units_sharpness.
Qed.

(* M6 with equality: gradient descent with step size 8/5 is linearly stable, and 1/8 = 1/eta - 1/2. *)
Theorem curvature_bound_attained (eps : R) :
  0 < eps ->
  off_the_data two_units (map fst two_data) /\ interpolates two_units two_data /\ fair [two_data] two_data /\
  linearly_stable (parameters two_units) eps (8/5) (map (linearised two_units) [two_data]) /\
  sum (fun c => Rabs (jump two_units c) * g (map fst two_data) c) [1/4; -1/4] = 1 / (8/5) - 1/2.
Proof.
  intros eps_pos. split; [exact two_units_off|split; [exact two_units_fit|split; [|split]]].
  - intros F. unfold mean at 1. simpl. field.
  - assert (map (linearised two_units) [two_data] = [full_batch (hessian two_units two_points)]) as ->.
    { simpl. unfold linearised, full_batch. do 2 f_equal.
      apply FunctionalExtensionality.functional_extensionality. intros p.
      rewrite (mean_eq _ (fun _ => 0)); [now apply mean_const|].
      intros point Hp. rewrite (two_units_fit point Hp). ring. }
    apply descent_stable_iff; [easy|lra| | |].
    + intros p q _ _. apply mean_eq. intros. ring.
    + intros u. rewrite quadratic_hessian. apply mean_nonneg; [easy|]. intros. nra.
    + replace (2 / (8/5)) with (5/4) by field. apply two_units_sharpness.
  - replace (1 / (8/5) - 1/2) with (1/8) by field. apply two_units_curvature.
Qed.
