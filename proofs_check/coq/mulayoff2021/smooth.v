(* Mulayoff, Michaeli and Soudry 2021: the Hessian at interpolation (M4), the least sharpness of a function (Lemma 4,
   M5) and what linear stability says of it (Theorem 1, M6), for networks of any width and any number of samples. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums batches two_layer mulayoff2021.stability.
Import ListNotations.
Open Scope R_scope.

(* The weight g (eq 22): X is uniform on the data x. *)

Definition below (t : R) (x : list R) : list R := filter (fun a => if Rlt_dec a t then true else false) x.
Definition above (t : R) (x : list R) : list R := filter (fun a => if Rlt_dec t a then true else false) x.

(* P(X in side) for a part of the data. *)
Definition share (side x : list R) : R := INR (length side) / INR (length x).

(* g-(t) = P(X<t)^2 E[t-X | X<t] sqrt(1 + E[X | X<t]^2), which is 0 where P(X<t) is; g+ the same with X>t and X-t. *)
Definition g_minus (x : list R) (t : R) : R :=
  share (below t x) x ^ 2 * mean (fun a => t - a) (below t x) * sqrt (1 + mean (fun a => a) (below t x) ^ 2).
Definition g_plus (x : list R) (t : R) : R :=
  share (above t x) x ^ 2 * mean (fun a => a - t) (above t x) * sqrt (1 + mean (fun a => a) (above t x) ^ 2).
Definition g (x : list R) (t : R) : R := Rmin (g_minus x t) (g_plus x t).

(* Phi = [grad f(x_1), .., grad f(x_n)] applied to u in R^n, and Phi Phi^T / n (eq 28). *)
Definition features (net : network) (x : list R) (u : nat -> R) : parameter -> R :=
  fun p => sum (fun j => gradient net (nth j x 0) p * u j) (seq 0 (length x)).
Definition hessian (net : network) (x : list R) : parameter -> parameter -> R :=
  fun p q => mean (fun t => gradient net t p * gradient net t q) x.

(* (1/2n) sum_j (f(x_j) - y_j)^2 over pairs (x_j, y_j). *)
Definition loss (net : network) (data : list (R * R)) : R :=
  mean (fun point => (output net (fst point) - snd point) ^ 2) data / 2.
Definition interpolates (net : network) (data : list (R * R)) : Prop :=
  forall point, In point data -> output net (fst point) = snd point.

Lemma quadratic_hessian net x v :
  quadratic (parameters net) (hessian net x) v = mean (fun t => slope net v t * slope net v t) x.
Proof.
  unfold quadratic, dot, apply, hessian, slope, mean, Rdiv. rewrite <- sum_scal_r.
  rewrite (sum_eq (fun t => _ * _ * / INR (length x))
    (fun t => sum (fun p => sum (fun q => v p * (gradient net t p * gradient net t q * / INR (length x)) * v q)
      (parameters net)) (parameters net))).
  - rewrite (sum_swap (fun t p => _)). apply sum_eq. intros p _. rewrite <- sum_scal, (sum_swap (fun t q => _)).
    apply sum_eq. intros q _. rewrite <- sum_scal_r, <- sum_scal_r, <- sum_scal. apply sum_eq. intros. ring.
  - intros t _. rewrite sum_product, <- sum_scal_r. apply sum_eq. intros p _.
    rewrite <- sum_scal_r. apply sum_eq. intros q _. ring.
Qed.

(* mulayoff2021, eq 28 (M4), first half: "at a zero-loss minimum the Hessian is Phi Phi^T / n". The loss is twice
   differentiable along every direction v, its slope is 0 and its second derivative v^T (Phi Phi^T / n) v. *)
Theorem hessian_at_interpolation (net : network) (data : list (R * R)) (v : parameter -> R) :
  off_the_data net (map fst data) -> interpolates net data ->
  exists d slope_at, 0 < d /\
    (forall s, Rabs s < d -> derivable_pt_lim (fun s => loss (move net v s) data) s (slope_at s)) /\
    slope_at 0 = 0 /\
    derivable_pt_lim slope_at 0 (quadratic (parameters net) (hessian net (map fst data)) v).
Proof.
  intros off fits.
  destruct (together (fun point s => output (move net v s) (fst point)
      = output net (fst point) + s * slope net v (fst point) + s * s * bend net v (fst point)) data)
    as [d [d_pos near]].
  { intros point Hp. apply output_near. intros u t Hu [<-|[]]. apply off; [easy|]. now apply in_map. }
  set (L := fun point : R * R => slope net v (fst point)). set (Q := fun point : R * R => bend net v (fst point)).
  set (a := mean (fun p => L p * L p) data / 2). set (b := mean (fun p => L p * Q p) data).
  set (e := mean (fun p => Q p * Q p) data / 2).
  assert (forall s, Rabs s < d -> a * s ^ 2 + b * s ^ 3 + e * s ^ 4 = loss (move net v s) data) as quartic.
  { intros s small. unfold loss.
    rewrite (mean_eq _ (fun p => s ^ 2 * (L p * L p) + 2 * s ^ 3 * (L p * Q p) + s ^ 4 * (Q p * Q p))).
    - rewrite !mean_plus, !mean_scal. unfold a, b, e. field.
    - intros p Hp. rewrite (near p Hp s small), (fits p Hp). unfold L, Q. ring. }
  exists d, (fun s => a * (2 * s) + b * (3 * s ^ 2) + e * (4 * s ^ 3)). split; [easy|split; [|split; [ring|]]].
  - intros s small. apply Rabs_def2 in small.
    apply (derivable_pt_lim_locally_ext (fun s => a * s ^ 2 + b * s ^ 3 + e * s ^ 4) _ s (- d) d); [lra| |].
    { intros z Hz. apply quartic, Rabs_def1; lra. }
    repeat apply derivable_pt_lim_plus; apply derivable_pt_lim_scal.
    + replace (2 * s) with (INR 2 * s ^ pred 2) by (simpl; ring). apply derivable_pt_lim_pow.
    + replace (3 * s ^ 2) with (INR 3 * s ^ pred 3) by (simpl; ring). apply derivable_pt_lim_pow.
    + replace (4 * s ^ 3) with (INR 4 * s ^ pred 4) by (simpl; ring). apply derivable_pt_lim_pow.
  - replace (quadratic _ _ v) with (a * (2 * 1) + b * (3 * (INR 2 * 0 ^ pred 2)) + e * (4 * (INR 3 * 0 ^ pred 3))).
    { repeat apply derivable_pt_lim_plus; apply derivable_pt_lim_scal; apply derivable_pt_lim_scal.
      - apply derivable_pt_lim_id.
      - apply derivable_pt_lim_pow.
      - apply derivable_pt_lim_pow. }
    rewrite quadratic_hessian. unfold a, L, mean, Rdiv.
    rewrite sum_map, map_length. generalize (/ INR (length data)). intros k. simpl. field.
Qed.

(* mulayoff2021, eq 28 (M4), second half: lambda_max(Phi Phi^T / n) = max_u ||Phi u||^2 / n over unit u in R^n: the two
   have the same upper bounds. *)
Theorem top_eigenvalue_in_data_space (net : network) (x : list R) (c : R) :
  x <> [] -> 0 <= c ->
  lambda_max_at_most (parameters net) c (hessian net x) <->
  forall u, dot (parameters net) (features net x u) (features net x u) / INR (length x)
            <= c * dot (seq 0 (length x)) u u.
Proof.
  intros nonempty c_pos. set (n := INR (length x)). assert (0 < n) as n_pos by now apply length_pos.
  set (P := parameters net). set (J := seq 0 (length x)).
  set (S := fun v j => slope net v (nth j x 0)).
  (* <v, Phi u> = <Phi^T v, u>, where (Phi^T v)_j is the slope of f(x_j) along v *)
  assert (forall v u, dot P (features net x u) v = dot J (S v) u) as adjoint.
  { intros v u. unfold dot, features, S, slope.
    rewrite (sum_eq _ (fun p => sum (fun j => gradient net (nth j x 0) p * v p * u j) J))
      by (intros; rewrite <- sum_scal_r; apply sum_eq; intros; ring).
    rewrite sum_swap. apply sum_eq. intros j _. now rewrite <- sum_scal_r. }
  assert (forall v, quadratic P (hessian net x) v = dot J (S v) (S v) / n) as form.
  { intros v. unfold P. rewrite quadratic_hessian. unfold mean, dot, S, J.
    now rewrite (sum_nth (fun t => slope net v t * slope net v t) 0 x). }
  split.
  - intros flat u. set (w := features net x u). specialize (flat w). fold P in flat. rewrite form in flat.
    pose proof (cauchy_schwarz (S w) u J) as C. fold (dot J (S w) u) (dot J (S w) (S w)) (dot J u u) in C.
    rewrite <- adjoint in C. fold w in C.
    pose proof (dot_pos P w). pose proof (dot_pos J u). set (W := dot P w w) in *. set (U := dot J u u) in *.
    assert (dot J (S w) (S w) <= n * c * W).
    { replace (dot J (S w) (S w)) with (n * (dot J (S w) (S w) / n)) by (field; lra). nra. }
    apply (Rmult_le_reg_l n); [easy|]. replace (n * (W / n)) with W by (field; lra).
    assert (dot J (S w) (S w) * U <= n * c * W * U) by (apply Rmult_le_compat_r; lra).
    destruct (Req_dec W 0) as [->|]; [repeat apply Rmult_le_pos; lra|]. apply (Rmult_le_reg_l W); lra.
  - intros flat v. fold P. rewrite form. specialize (flat (S v)). fold P J n in flat.
    pose proof (cauchy_schwarz (features net x (S v)) v P) as C.
    fold (dot P (features net x (S v)) v) (dot P (features net x (S v)) (features net x (S v))) (dot P v v) in C.
    rewrite adjoint in C.
    pose proof (dot_pos P v). pose proof (dot_pos J (S v)). set (W := dot J (S v) (S v)) in *.
    set (Z := dot P (features net x (S v)) (features net x (S v))) in *. set (V := dot P v v) in *.
    assert (Z <= n * c * W).
    { replace Z with (n * (Z / n)) by (field; lra). nra. }
    apply (Rmult_le_reg_l n); [easy|]. replace (n * (W / n)) with W by (field; lra).
    assert (Z * V <= n * c * W * V) by (apply Rmult_le_compat_r; lra).
    destruct (Req_dec W 0) as [->|]; [repeat apply Rmult_le_pos; lra|]. apply (Rmult_le_reg_l W); lra.
Qed.

(* The weighted arithmetic and geometric means, over any number of neurons. *)
Theorem weighted_am_gm {I : Type} (w1 w2 A B : I -> R) (l : list I) :
  (forall i, In i l -> 0 <= A i /\ 0 <= B i) ->
  2 * sum (fun i => Rabs (w1 i * w2 i) * sqrt (A i * B i)) l <= sum (fun i => w2 i ^ 2 * A i + w1 i ^ 2 * B i) l.
Proof.
  intros pos. rewrite <- sum_scal. apply sum_le. intros i Hi. destruct (pos i Hi) as [A_pos B_pos].
  replace (Rabs (w1 i * w2 i) * sqrt (A i * B i)) with (sqrt ((w2 i ^ 2 * A i) * (w1 i ^ 2 * B i))).
  - apply am_gm; apply Rmult_le_pos; (easy || nra).
  - replace ((w2 i ^ 2 * A i) * (w1 i ^ 2 * B i)) with ((w1 i * w2 i) ^ 2 * (A i * B i)) by ring.
    rewrite sqrt_mult_alt by nra. now rewrite <- Rsqr_pow2, sqrt_Rsqr_abs.
Qed.

(* g is not negative, and 0 outside the data. *)

Lemma side_pos (keep : R -> bool) (F : R -> R) x t :
  (forall a, In a (filter keep x) -> 0 <= F a) ->
  0 <= share (filter keep x) x ^ 2 * mean F (filter keep x) * sqrt (1 + t ^ 2).
Proof.
  intros pos. apply Rmult_le_pos; [|apply sqrt_pos]. destruct (filter keep x) as [|b side] eqn:E.
  - unfold share. simpl. unfold Rdiv. rewrite !Rmult_0_l. lra.
  - apply Rmult_le_pos; [apply pow2_ge_0|]. now apply mean_nonneg.
Qed.

Lemma below_in t x a : In a (below t x) -> a < t.
Proof. intros H. apply filter_In in H. destruct (Rlt_dec a t); easy. Qed.

Lemma above_in t x a : In a (above t x) -> t < a.
Proof. intros H. apply filter_In in H. destruct (Rlt_dec t a); easy. Qed.

Lemma g_nonneg x t : 0 <= g x t.
Proof.
  apply Rmin_glb; apply side_pos; intros a H.
  - apply below_in in H. lra.
  - apply above_in in H. lra.
Qed.

Lemma empty_side (side : list R) : (forall a, ~ In a side) -> side = [].
Proof. destruct side as [|a side]; [easy|]. intros none. exfalso. apply (none a). now left. Qed.

Lemma g_outside x t : (forall a, In a x -> t <= a) \/ (forall a, In a x -> a <= t) -> g x t = 0.
Proof.
  intros outside. apply Rle_antisym; [|apply g_nonneg]. unfold g. destruct outside as [left|right].
  - eapply Rle_trans; [apply Rmin_l|]. unfold g_minus, share. rewrite (empty_side (below t x)).
    + simpl. unfold Rdiv. rewrite !Rmult_0_l. lra.
    + intros a H. pose proof (below_in _ _ _ H). apply filter_In in H. destruct H as [H _]. specialize (left a H). lra.
  - eapply Rle_trans; [apply Rmin_r|]. unfold g_plus, share. rewrite (empty_side (above t x)).
    + simpl. unfold Rdiv. rewrite !Rmult_0_l. lra.
    + intros a H. pose proof (above_in _ _ _ H). apply filter_In in H. destruct H as [H _]. specialize (right a H). lra.
Qed.

(* One unit's part of the squared mean gradient. *)

Lemma mean_filter (keep : R -> bool) (F : R -> R) x :
  mean (fun a => if keep a then F a else 0) x = share (filter keep x) x * mean F (filter keep x).
Proof.
  unfold mean, share. rewrite <- sum_filter. destruct (filter keep x) as [|b side].
  - simpl. unfold Rdiv. now rewrite !Rmult_0_l.
  - pose proof (length_pos (b :: side) ltac:(easy)) as pos. set (s := sum F _).
    set (m := INR (length (b :: side))) in *.
    unfold Rdiv. replace (m * / INR (length x) * (s * / m)) with (s * / INR (length x) * (m * / m)) by ring.
    rewrite Rinv_r by lra. ring.
Qed.

(* The data on the active side of u: their share P, their mean E, their mean distance D to the knot. *)
Definition is_active (u : neuron) (a : R) : bool := if Rlt_dec 0 (pre_activation u a) then true else false.
Definition active_data (u : neuron) (x : list R) : list R := filter (is_active u) x.
Definition active_share (u : neuron) (x : list R) : R := share (active_data u x) x.
Definition active_mean (u : neuron) (x : list R) : R := mean (fun a => a) (active_data u x).
Definition active_distance (u : neuron) (x : list R) : R := mean (fun a => Rabs (a - knot u)) (active_data u x).

Lemma share_of_ones keep x : share (filter keep x) x * mean (fun _ => 1) (filter keep x) = share (filter keep x) x.
Proof.
  unfold share. destruct (filter keep x) as [|b side].
  - simpl. unfold Rdiv. now rewrite !Rmult_0_l.
  - rewrite mean_const by easy. ring.
Qed.

Lemma pre_activation_distance u a : w1 u <> 0 -> Rabs (pre_activation u a) = Rabs (w1 u) * Rabs (a - knot u).
Proof.
  intros sloped. rewrite <- Rabs_mult. f_equal. unfold pre_activation, knot. field. easy.
Qed.

Lemma unit_mean_gradient (u : neuron) (x : list R) :
  let P := active_share u x in
  mean (fun t => w2 u * active u t * t) x = w2 u * (P * active_mean u x) /\
  mean (fun t => w2 u * active u t) x = w2 u * P /\
  (w1 u <> 0 -> mean (fun t => relu (pre_activation u t)) x = Rabs (w1 u) * (P * active_distance u x)).
Proof.
  unfold active_share, active_mean, active_distance, active_data. cbv zeta.
  rewrite <- !mean_filter, <- share_of_ones, <- mean_filter, <- !mean_scal.
  split; [|split]; [| |intros sloped]; apply mean_eq; intros a _; unfold active, is_active;
    destruct (Rlt_dec 0 (pre_activation u a)); try ring.
  - rewrite <- pre_activation_distance, Rabs_pos_eq, relu_pos by (easy || lra). reflexivity.
  - rewrite relu_neg by lra. ring.
Qed.

(* P^2 D sqrt(1 + E^2) is g-(c) or g+(c), c the knot: at least g(c). *)
Lemma active_side_weight u x :
  w1 u <> 0 ->
  g x (knot u) <= active_share u x ^ 2 * active_distance u x * sqrt (1 + active_mean u x ^ 2).
Proof.
  intros sloped.
  assert (forall a, pre_activation u a = w1 u * (a - knot u)) as at_knot
    by (intros a; unfold pre_activation, knot; now field).
  unfold active_share, active_distance, active_mean, g.
  destruct (Rlt_dec 0 (w1 u)) as [positive|].
  - replace (active_data u x) with (above (knot u) x).
    + eapply Rle_trans; [apply Rmin_r|]. unfold g_plus. apply Req_le. do 2 f_equal.
      unfold mean. f_equal. apply sum_eq. intros a Ha. apply above_in in Ha. rewrite Rabs_pos_eq; lra.
    + apply filter_ext. intros a. unfold is_active. rewrite at_knot.
      destruct (Rlt_dec (knot u) a), (Rlt_dec 0 (w1 u * (a - knot u))); try easy; exfalso; nra.
  - replace (active_data u x) with (below (knot u) x).
    + eapply Rle_trans; [apply Rmin_l|]. unfold g_minus. apply Req_le. do 2 f_equal.
      unfold mean. f_equal. apply sum_eq. intros a Ha. apply below_in in Ha. rewrite Rabs_left; lra.
    + apply filter_ext. intros a. unfold is_active. rewrite at_knot.
      destruct (Rlt_dec a (knot u)), (Rlt_dec 0 (w1 u * (a - knot u))); try easy; exfalso; nra.
Qed.

(* The squared length of the mean gradient. *)
Definition squared_mean_gradient (net : network) (x : list R) : R :=
  sum (fun p => mean (fun t => gradient net t p) x ^ 2) (parameters net).

(* It is the Rayleigh quotient of the all-ones vector, (1/n) ||Phi 1/sqrt n||^2. *)
Lemma all_ones_quotient net x :
  x <> [] ->
  let ones := fun _ : nat => / sqrt (INR (length x)) in
  dot (seq 0 (length x)) ones ones = 1 /\
  dot (parameters net) (features net x ones) (features net x ones) / INR (length x) = squared_mean_gradient net x.
Proof.
  intros nonempty ones. pose proof (length_pos x nonempty). unfold ones. clear ones. set (n := INR (length x)) in *.
  assert (sqrt n * sqrt n = n) as root by (apply sqrt_sqrt; lra).
  assert (0 < sqrt n) by now apply sqrt_lt_R0. set (q := sqrt n) in *. clearbody q.
  split.
  - unfold dot. rewrite sum_const, seq_length. fold n. rewrite <- root. field. lra.
  - unfold dot, squared_mean_gradient, Rdiv. rewrite <- sum_scal_r. apply sum_eq. intros p _.
    unfold features. rewrite sum_scal_r, (sum_nth (fun t => gradient net t p) 0 x).
    unfold mean. fold n. rewrite <- root. field. lra.
Qed.

(* The all-ones Rayleigh quotient is at least 1 + 2 sum_i |w1_i w2_i| g(tau_i) (before eq 30). *)
Theorem all_ones_lower_bound (net : network) (x : list R) :
  x <> [] ->
  1 + 2 * sum (fun u => Rabs (w1 u * w2 u) * g x (knot u)) (neurons net) <= squared_mean_gradient net x.
Proof.
  intros nonempty. unfold squared_mean_gradient. rewrite sum_parameters. simpl gradient.
  rewrite (mean_const 1 x nonempty).
  rewrite (sum_units (fun u => mean (fun t => w2 u * active u t * t) x ^ 2 + mean (fun t => w2 u * active u t) x ^ 2
    + mean (fun t => relu (pre_activation u t)) x ^ 2)).
  set (A := fun u => active_share u x ^ 2 * (1 + active_mean u x ^ 2)).
  set (B := fun u => (active_share u x * active_distance u x) ^ 2).
  assert (sum (fun u => Rabs (w1 u * w2 u) * g x (knot u)) (neurons net)
          <= sum (fun u => Rabs (w1 u * w2 u) * sqrt (A u * B u)) (neurons net)) as to_g.
  { apply sum_le. intros u _. destruct (Req_dec (w1 u) 0) as [->|sloped]; [rewrite Rmult_0_l, Rabs_R0; lra|].
    apply Rmult_le_compat_l; [apply Rabs_pos|].
    eapply Rle_trans; [now apply active_side_weight|]. apply Req_le. unfold A, B.
    assert (0 <= active_share u x ^ 2 * active_distance u x) as pos.
    { apply Rmult_le_pos; [apply pow2_ge_0|]. unfold active_distance.
      destruct (active_data u x); [unfold mean, Rdiv; simpl; lra|].
      apply mean_nonneg; [easy|]. intros. apply Rabs_pos. }
    rewrite <- (sqrt_square _ pos) at 1. rewrite <- sqrt_mult_alt by nra. f_equal. ring. }
  assert (sum (fun u => w2 u ^ 2 * A u + w1 u ^ 2 * B u) (neurons net)
          <= sum (fun u => mean (fun t => w2 u * active u t * t) x ^ 2 + mean (fun t => w2 u * active u t) x ^ 2
               + mean (fun t => relu (pre_activation u t)) x ^ 2) (neurons net)) as parts.
  { apply sum_le. intros u _. destruct (unit_mean_gradient u x) as [-> [-> third]]. unfold A, B.
    destruct (Req_dec (w1 u) 0) as [->|sloped].
    - pose proof (pow2_ge_0 (mean (fun t => relu (pre_activation u t)) x)). lra.
    - rewrite (third sloped), <- (pow2_abs (w1 u)). lra. }
  pose proof (weighted_am_gm w1 w2 A B (neurons net)) as heart.
  assert (forall u, In u (neurons net) -> 0 <= A u /\ 0 <= B u) as pos.
  { intros u _. unfold A, B. split; [apply Rmult_le_pos|]; try apply pow2_ge_0.
    pose proof (pow2_ge_0 (active_mean u x)). lra. }
  specialize (heart pos). lra.
Qed.

(* Knots that coincide: int |f''| g of the function is at most the sum over the units, whatever the distinct places
   that are counted. *)
Theorem curvature_at_most_units (net : network) (x : list R) (knots : list R) :
  NoDup knots ->
  sum (fun c => Rabs (jump net c) * g x c) knots
  <= sum (fun u => Rabs (w1 u * w2 u) * g x (knot u)) (neurons net).
Proof.
  intros distinct.
  apply Rle_trans with
    (sum (fun c => sum (fun u => if Req_EM_T (pre_activation u c) 0 then Rabs (w1 u * w2 u) * g x c else 0)
      (neurons net)) knots).
  - apply sum_le. intros c _. unfold jump.
    eapply Rle_trans; [apply Rmult_le_compat_r; [apply g_nonneg|apply sum_abs]|].
    rewrite <- sum_scal_r. apply sum_le. intros u _. unfold unit_jump.
    destruct (Req_EM_T (pre_activation u c) 0); [|rewrite Rabs_R0; lra].
    rewrite !Rabs_mult, Rabs_Rabsolu. lra.
  - rewrite sum_swap. apply sum_le. intros u _.
    destruct (Req_dec (w1 u) 0) as [flat|sloped].
    { rewrite flat, Rmult_0_l, Rabs_R0, Rmult_0_l. apply Req_le, sum_zero. intros c _.
      destruct (Req_EM_T (pre_activation u c) 0); lra. }
    assert (forall c, pre_activation u c = 0 -> c = knot u) as only.
    { intros c zero. unfold pre_activation, knot in *. field_simplify_eq; lra. }
    assert (0 <= Rabs (w1 u * w2 u) * g x (knot u)) by (apply Rmult_le_pos; [apply Rabs_pos|apply g_nonneg]).
    induction distinct as [|c knots fresh _ IH]; simpl; [easy|].
    destruct (Req_EM_T (pre_activation u c) 0) as [zero|]; [|lra].
    apply only in zero. subst c. rewrite sum_zero; [lra|].
    intros c Hc. destruct (Req_EM_T (pre_activation u c) 0) as [zero|]; [|easy].
    apply only in zero. now subst c.
Qed.

(* mulayoff2021, Lemma 4, eq 30 (M5): "min over all implementations theta of f: lambda_max >= 1 + 2 int |f''| g". f is
   any function, given with the jumps of f' at any distinct points; f'' is point masses |jump| at the kinks, all of
   which may be among the points. lambda is any upper bound of the spectrum of Phi Phi^T / n, which is the Hessian where
   no unit toggles on a data point. *)
Theorem sharpness_lower_bound (f : R -> R) (net : network) (x knots : list R) (jumps : R -> R) (lambda : R) :
  x <> [] -> (forall t, output net t = f t) ->
  NoDup knots -> (forall c, In c knots -> kink f c (jumps c)) ->
  lambda_max_at_most (parameters net) lambda (hessian net x) ->
  1 + 2 * sum (fun c => Rabs (jumps c) * g x c) knots <= lambda.
Proof.
  intros nonempty implements distinct kinks flat.
  rewrite (sum_eq _ (fun c => Rabs (jump net c) * g x c)).
  2: { intros c Hc. rewrite (kink_unique f c (jumps c) (jump net c)); [easy|now apply kinks|].
       apply (kink_ext (output net)); [easy|apply network_kink]. }
  pose proof (curvature_at_most_units net x knots distinct). pose proof (all_ones_lower_bound net x nonempty).
  destruct (all_ones_quotient net x nonempty) as [is_unit quotient].
  assert (0 <= lambda) as lambda_pos.
  { specialize (flat (fun p => match p with B2 => 1 | _ => 0 end)). rewrite quadratic_hessian in flat.
    unfold slope, dot in flat. rewrite sum_parameters in flat. simpl in flat.
    rewrite sum_zero in flat by (intros; ring).
    assert (0 <= mean (fun t => slope net (fun p => match p with B2 => 1 | _ => 0 end) t
      * slope net (fun p => match p with B2 => 1 | _ => 0 end) t) x) by (apply mean_nonneg; [easy|intros; nra]).
    unfold slope in *. lra. }
  rewrite (top_eigenvalue_in_data_space net x lambda nonempty lambda_pos) in flat.
  specialize (flat (fun _ => / sqrt (INR (length x)))). rewrite is_unit, quotient in flat. lra.
Qed.

(* The linearised SGD at an interpolating network: a batch's gradient and Hessian there. *)
Definition linearised (net : network) (points : list (R * R)) : batch :=
  Batch (fun p => mean (fun point => (output net (fst point) - snd point) * gradient net (fst point) p) points)
    (hessian net (map fst points)).

(* The step of M6 and M6.a from the sharpness to the curvature: "eta lambda_max <= 2 => int |f''| g <= 1/eta - 1/2". *)
Theorem flat_curvature_bound (f : R -> R) (net : network) (x knots : list R) (jumps : R -> R) (eta : R) :
  0 < eta -> x <> [] -> (forall t, output net t = f t) ->
  NoDup knots -> (forall c, In c knots -> kink f c (jumps c)) ->
  lambda_max_at_most (parameters net) (2 / eta) (hessian net x) ->
  sum (fun c => Rabs (jumps c) * g x c) knots <= 1 / eta - 1 / 2.
Proof.
  intros eta_pos nonempty implements distinct kinks flat.
  pose proof (sharpness_lower_bound f net x knots jumps (2 / eta) nonempty implements distinct kinks flat). lra.
Qed.

(* Batches are fair if the mean over them of their means is the mean over the data, as for those of SGD (below). *)
Definition fair {A : Type} (batches : list (list A)) (data : list A) : Prop :=
  forall F : A -> R, mean (fun points => mean F points) batches = mean F data.

(* mulayoff2021, Theorem 1, eq 21 (M6): "linearly stable solution, no knot on a data point =>
   int |f''| g <= 1/eta - 1/2", where, as in M6.a, no unit toggles on a data point: only then is `linearised` the
   linearisation (M4). *)
Theorem stable_curvature_bound (f : R -> R) (net : network) (data : list (R * R)) (knots : list R) (jumps : R -> R)
    (eps eta : R) (batches : list (list (R * R))) :
  0 < eps -> 0 < eta -> data <> [] -> batches <> [] -> fair batches data ->
  (forall t, output net t = f t) -> interpolates net data -> off_the_data net (map fst data) ->
  NoDup knots -> (forall c, In c knots -> kink f c (jumps c)) ->
  linearly_stable (parameters net) eps eta (map (linearised net) batches) ->
  sum (fun c => Rabs (jumps c) * g (map fst data) c) knots <= 1 / eta - 1 / 2.
Proof.
  intros eps_pos eta_pos nonempty some unbiased implements fits _ distinct kinks stable.
  set (x := map fst data) in *. assert (x <> []) by (unfold x; now destruct data).
  assert (forall p q, mean_hessian (map (linearised net) batches) p q = hessian net x p q) as full.
  { intros p q. unfold mean_hessian, hessian, x. unfold mean at 1 2. rewrite !sum_map, !map_length.
    fold (mean (fun point => gradient net (fst point) p * gradient net (fst point) q) data).
    rewrite <- unbiased. apply mean_eq. intros points _. simpl. unfold hessian, mean.
    now rewrite sum_map, map_length. }
  assert (lambda_max_at_most (parameters net) (2 / eta) (hessian net x)) as flat.
  { intros u. replace (quadratic (parameters net) (hessian net x) u)
      with (quadratic (parameters net) (mean_hessian (map (linearised net) batches)) u)
      by (apply sum_eq; intros p _; unfold apply; f_equal; apply sum_eq; intros; now rewrite full).
    apply (linear_stability_bounds_sharpness _ eps); try easy.
    - now destruct batches.
    - intros p _. unfold mean. rewrite sum_map, map_length. simpl. fold (mean (fun points => mean (fun point =>
        (output net (fst point) - snd point) * gradient net (fst point) p) points) batches).
      rewrite unbiased, (mean_eq _ (fun _ => 0)); [now apply mean_const|].
      intros point Hp. rewrite (fits point Hp). ring.
    - intros p q _ _. rewrite !full. apply mean_eq. intros. ring. }
  now apply (flat_curvature_bound f net).
Qed.

(* The batches of SGD: all sets of B of the data, drawn without replacement. With B = n, gradient descent. *)
Theorem batches_fair {A : Type} (B : nat) (data : list A) :
  (1 <= B <= length data)%nat -> fair (batches B data) data /\ batches B data <> [].
Proof.
  intros size. split; [intros F; now apply mean_of_batches|]. now apply batches_exist.
Qed.
