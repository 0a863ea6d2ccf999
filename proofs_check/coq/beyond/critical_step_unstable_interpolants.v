(* B1.a with M6: beyond the critical step size no two-layer ReLU network that interpolates the data is linearly stable,
   whatever its width. *)

From Coq Require Import Reals Lra Lia List Sorted.
From ImplicitSmoothness Require Import Sums two_layer mulayoff2021.stability mulayoff2021.smooth
  beyond.critical_step_exchange beyond.critical_step.
Import ListNotations.
Open Scope R_scope.

(* The different knots of a network's units. *)
Definition knots_of (net : network) : list R :=
  nodup Req_EM_T (map knot (filter (fun u => if Req_EM_T (w1 u) 0 then false else true) (neurons net))).

Lemma unit_as_kink u x : w1 u <> 0 -> w2 u * relu (pre_activation u x)
  = - w2 u * Rmin 0 (w1 u) * knot u + w2 u * Rmin 0 (w1 u) * x + w2 u * Rabs (w1 u) * relu (x - knot u).
Proof.
  intros H. assert (E : pre_activation u x = w1 u * (x - knot u)) by (unfold pre_activation, knot; field; auto).
  rewrite E. set (z := x - knot u). replace x with (z + knot u) by (unfold z; ring).
  destruct (Rle_dec 0 (w1 u)), (Rle_dec 0 z); unfold Rmin; destruct (Rle_dec 0 (w1 u)); try lra.
  - rewrite Rabs_right, !relu_pos by nra. ring.
  - rewrite !relu_neg by nra. ring.
  - rewrite Rabs_left, (relu_neg (w1 u * z)), relu_pos by nra. ring.
  - rewrite (relu_pos (w1 u * z)), (relu_neg z) by nra. ring.
Qed.

Lemma unit_as_kinks u knots : NoDup knots -> (w1 u <> 0 -> In (knot u) knots) ->
  exists value slope, forall x, w2 u * relu (pre_activation u x)
    = value + slope * x + sum (fun c => unit_jump u c * relu (x - c)) knots.
Proof.
  intros N I. destruct (Req_dec (w1 u) 0) as [Z|Z].
  - exists (w2 u * relu (b1 u)), 0. intros x.
    rewrite sum_zero; [unfold pre_activation; rewrite Z, Rmult_0_l, Rplus_0_l; ring|].
    intros c _. unfold unit_jump. rewrite Z, Rabs_R0. destruct Req_EM_T; ring.
  - exists (- w2 u * Rmin 0 (w1 u) * knot u), (w2 u * Rmin 0 (w1 u)). intros x. rewrite unit_as_kink by auto.
    f_equal. rewrite (sum_eq _ (fun c => sum (fun a => if Req_EM_T (knot a) c then
      w2 a * Rabs (w1 a) * relu (x - knot a) else 0) [u])).
    + rewrite (sum_by_value knot Req_EM_T) by (auto; intros a [<-|[]]; auto). simpl; ring.
    + intros c _; simpl. unfold unit_jump.
      destruct (Req_EM_T (pre_activation u c) 0) as [E|E], (Req_EM_T (knot u) c) as [K|K].
      * rewrite K; ring.
      * exfalso; apply K. unfold knot, pre_activation in *. field_simplify_eq; lra.
      * exfalso; apply E. rewrite <- K. unfold knot, pre_activation. field; auto.
      * ring.
Qed.

(* A network computes a piecewise-linear function with kinks at its knots. *)
Lemma output_as_kinks net : exists value slope, forall x,
  output net x = piecewise_linear value slope (map (fun c => (c, jump net c)) (knots_of net)) x.
Proof.
  assert (N : NoDup (knots_of net)) by apply NoDup_nodup.
  assert (I : forall u, In u (neurons net) -> w1 u <> 0 -> In (knot u) (knots_of net)).
  { intros u Hu Z. apply nodup_In, in_map_iff. exists u; split; auto. apply filter_In; split; auto.
    destruct Req_EM_T; easy. }
  set (knots := knots_of net) in *. unfold output, piecewise_linear, jump. clearbody knots.
  enough (H : exists value slope, forall x, sum (fun u => w2 u * relu (pre_activation u x)) (neurons net)
    = value + slope * x + sum (fun c => sum (fun u => unit_jump u c) (neurons net) * relu (x - c)) knots).
  { destruct H as [v [s H]]. exists (v + b2 net), s. intros x. rewrite H, sum_map; simpl; ring. }
  induction (neurons net) as [|u l IH].
  - exists 0, 0. intros x. rewrite (sum_zero _ knots); simpl; intros; ring.
  - destruct IH as [v [s H]]; [intros; apply I; auto; now right|].
    destruct (unit_as_kinks u knots N (I u (or_introl eq_refl))) as [v' [s' H']].
    exists (v' + v), (s' + s). intros x. rewrite sum_cons, H, H'.
    rewrite (sum_eq (fun c => sum (fun w => unit_jump w c) (u :: l) * relu (x - c))
      (fun c => unit_jump u c * relu (x - c) + sum (fun w => unit_jump w c) l * relu (x - c)))
      by (intros; rewrite sum_cons; ring).
    rewrite sum_plus. ring.
Qed.

(* B1.a for networks of any width. *)
Theorem network_curvature_at_least net data :
  let xs := map fst data in
  Sorted left_of data -> interpolates net data ->
  spline_curvature (lowest_weight xs) data <= sum (fun c => Rabs (jump net c) * g xs c) (knots_of net).
Proof.
  intros xs S I. destruct (output_as_kinks net) as [v [s H]].
  assert (L : spline_curvature (lowest_weight xs) data
    <= curvature (g xs) (map (fun c => (c, jump net c)) (knots_of net))).
  { apply (spline_has_least_curvature (g xs) (lowest_weight xs) data v s); auto.
    - apply Forall_forall; intros p Hp. rewrite <- H. apply I; auto.
    - apply Forall_forall; intros; apply lowest_weight_nonneg.
    - apply g_above_chords; auto.
    - intros; apply g_nonneg. }
  unfold curvature in L. rewrite sum_map in L. exact L.
Qed.

(* Beyond 1 / (1/2 + sum_j |s_{j+1} - s_j| g_*(x_j)) no interpolating network is linearly stable, as long as no unit
   toggles on a data point. *)
Theorem no_interpolating_network_is_stable net data eps eta (batches : list (list (R * R))) :
  let xs := map fst data in
  Sorted left_of data -> data <> [] -> interpolates net data -> off_the_data net xs ->
  0 < eps -> batches <> [] -> fair batches data ->
  1 / (1 / 2 + spline_curvature (lowest_weight xs) data) < eta ->
  ~ linearly_stable (parameters net) eps eta (map (linearised net) batches).
Proof.
  intros xs S N I O He B F H stable.
  assert (P := spline_curvature_nonneg xs data). assert (L := network_curvature_at_least net data S I).
  fold xs in L, P. set (v := spline_curvature (lowest_weight xs) data) in *.
  assert (eta_pos : 0 < 1 / (1 / 2 + v)) by (apply Rdiv_lt_0_compat; lra).
  assert (M := stable_curvature_bound (output net) net data (knots_of net) (jump net) eps eta batches
    He ltac:(lra) N B F (fun _ => eq_refl) I O (NoDup_nodup _ _) (fun c _ => network_kink net c) stable).
  fold xs in M. assert (E := beyond_critical v eta P H). lra.
Qed.
